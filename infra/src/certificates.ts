/**
 * Certificates for a cluster, made with nothing but Node: ECDSA on P-256 with SHA-256, X.509 version 3.
 *
 * Invariants
 * 1. An authority signs nothing but server certificates: no further authorities (path length 0).
 * 2. Serial numbers are random, 126 bits.
 * 3. A private key leaves this file only as PEM, and never through a log.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIP } from 'node:net';
import { bits, boolean, element, identifier, integer, octets, sequence, set, text, time } from './der.ts';

/** A certificate with its private key, both PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** What signs certificates. */
export interface Authority extends Pair {
  readonly name: string;
}

const DAY_MS = 86_400_000;
/** Clocks of machines differ a little. */
const BACKDATE_MS = 10 * 60_000;
const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** A new authority, valid for `days`. */
export function createAuthority(name: string, days: number): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension(OID.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), true),
    extension(OID.keyUsage, bits(Buffer.from([0b0000_0110]), 1), true), // keyCertSign, cRLSign
    extension(OID.subjectKeyId, octets(keyId(publicKey))),
  ];
  const certificate = certify({ issuer: name, subject: name, publicKey, signer: privateKey, days, extensions });
  return { name, certificate, key: pemOf(privateKey) };
}

/**
 * A certificate for a server, valid for `days`, under every one of `hosts` (names and addresses). It may also call
 * others with it, as the servers of a cluster do.
 */
export function issueServer(authority: Authority, hosts: readonly string[], days: number): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = createPrivateKey(authority.key);
  const extensions = [
    extension(OID.basicConstraints, sequence(), true),
    extension(OID.keyUsage, bits(Buffer.from([0b1000_0000]), 7), true), // digitalSignature
    extension(OID.extKeyUsage, sequence(identifier(OID.serverAuth), identifier(OID.clientAuth))),
    extension(OID.subjectAltName, sequence(...hosts.map(generalName))),
    extension(OID.subjectKeyId, octets(keyId(publicKey))),
    extension(OID.authorityKeyId, sequence(element(0x80, keyId(createPublicKey(signer))))),
  ];
  const subject = hosts[0] ?? '';
  const certificate = certify({ issuer: authority.name, subject, publicKey, signer, days, extensions });
  return { certificate, key: pemOf(privateKey) };
}

interface Request {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly days: number;
  readonly extensions: readonly Buffer[];
}

function certify({ issuer, subject, publicKey, signer, days, extensions }: Request): string {
  const algorithm = sequence(identifier(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0]! &= 0x3f;
  const now = Date.now();
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(time(new Date(now - BACKDATE_MS)), time(new Date(now + days * DAY_MS))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(...extensions)),
  );
  const whole = sequence(body, algorithm, bits(sign('sha256', body, signer)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(identifier(OID.commonName), text(commonName))));
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  return sequence(identifier(oid), ...(critical ? [boolean(true)] : []), octets(value));
}

function generalName(host: string): Buffer {
  if (isIP(host) === 4) return element(0x87, Buffer.from(host.split('.').map(Number)));
  if (isIP(host) === 6) return element(0x87, ipv6Bytes(host));
  return element(0x82, Buffer.from(host, 'latin1'));
}

function ipv6Bytes(host: string): Buffer {
  const [head = '', tail] = host.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A bare TCP socket that speaks just enough of the NATS protocol, and sends what no client library would send. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RawMessage {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headers: string;
  readonly payload: Buffer;
}

export interface RawLogin {
  readonly port: number;
  readonly user?: string | undefined;
  readonly pass?: string | undefined;
}

const EMPTY = Buffer.alloc(0);

export class RawNats {
  readonly messages: RawMessage[] = [];
  readonly errors: string[] = [];
  closed = false;
  readonly #socket: Socket;
  #buffer = EMPTY;
  #pongs = 0;
  #sid = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#take());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open({ port, user, pass }: RawLogin): Promise<RawNats> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    const raw = new RawNats(socket);
    const login = user === undefined ? {} : { user, pass };
    raw.write(
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, headers: true, no_responders: true, lang: 'raw', version: '0', ...login })}\r\n`,
    );
    await raw.flush();
    return raw;
  }

  write(data: string | Buffer): void {
    if (!this.closed) this.#socket.write(data);
  }

  publish(subject: string | Buffer, payload: string | Buffer, reply: string | Buffer = ''): void {
    const body = Buffer.from(payload as string);
    this.write(Buffer.concat([this.#line('PUB', subject, reply), Buffer.from(`${body.length}\r\n`), body, CRLF]));
  }

  /** `headers`: everything between `NATS/1.0\r\n` and the empty line, as it goes over the wire. */
  publishWith(
    subject: string | Buffer,
    headers: string | Buffer,
    payload: string | Buffer,
    reply: string | Buffer = '',
  ): void {
    const body = Buffer.from(payload as string);
    const block = Buffer.concat([Buffer.from('NATS/1.0\r\n'), Buffer.from(headers as string), CRLF]);
    const sizes = Buffer.from(`${block.length} ${block.length + body.length}\r\n`);
    this.write(Buffer.concat([this.#line('HPUB', subject, reply), sizes, block, body, CRLF]));
  }

  subscribe(subject: string): void {
    this.write(`SUB ${subject} ${++this.#sid}\r\n`);
  }

  /** Resolves when the server has taken everything that was written, or has hung up. */
  async flush(): Promise<void> {
    const wanted = this.#pongs + 1;
    this.write('PING\r\n');
    for (const endAt = Date.now() + 2_000; this.#pongs < wanted && !this.closed && Date.now() < endAt; ) await sleep(2);
  }

  /** The first message to `subject` that satisfies `test`, awaited. */
  async next(
    subject: string,
    timeoutMs = 10_000,
    test: (message: RawMessage) => boolean = () => true,
  ): Promise<RawMessage> {
    for (const endAt = Date.now() + timeoutMs; Date.now() < endAt; await sleep(3)) {
      const at = this.messages.findIndex((one) => one.subject === subject && test(one));
      if (at >= 0) return this.messages.splice(at, 1)[0]!;
    }
    throw new Error(
      `nothing came to ${subject}; errors: ${this.errors.join('; ')}; have ${this.messages.map((m) => m.subject).join(', ')}`,
    );
  }

  close(): void {
    this.#socket.destroy();
    this.closed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #line(verb: string, subject: string | Buffer, reply: string | Buffer): Buffer {
    const head = [Buffer.from(`${verb} `), Buffer.from(subject as string), Buffer.from(' ')];
    if (reply.length > 0) head.push(Buffer.from(reply as string), Buffer.from(' '));
    return Buffer.concat(head);
  }

  /** Takes one protocol line (with its body) off the buffer. */
  #take(): boolean {
    const end = this.#buffer.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#buffer.subarray(0, end).toString();
    const [verb = '', ...rest] = line.split(' ');
    if (verb !== 'MSG' && verb !== 'HMSG') {
      this.#buffer = this.#buffer.subarray(end + 2);
      if (verb === 'PING') this.write('PONG\r\n');
      else if (verb === 'PONG') this.#pongs++;
      else if (verb === '-ERR') this.errors.push(rest.join(' '));
      return true;
    }
    const sizes = verb === 'MSG' ? 1 : 2;
    const total = Number(rest.at(-1));
    const headerBytes = verb === 'MSG' ? 0 : Number(rest.at(-2));
    if (this.#buffer.length < end + 2 + total + 2) return false;
    const body = Buffer.from(this.#buffer.subarray(end + 2, end + 2 + total));
    this.#buffer = this.#buffer.subarray(end + 2 + total + 2);
    const [subject = '', , reply] = rest.slice(0, rest.length - sizes);
    this.messages.push({
      subject,
      reply,
      headers: body.subarray(0, headerBytes).toString(),
      payload: body.subarray(headerBytes),
    });
    return true;
  }
}

const CRLF = Buffer.from('\r\n');

/** One header of a received block. */
export function headerOf(message: RawMessage, name: string): string | undefined {
  const line = message.headers.split('\r\n').find((one) => one.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

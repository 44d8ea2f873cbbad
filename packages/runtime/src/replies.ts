/** Telling people how turns ended, and publishing what machines emit. */
import type { ActorDefinition, ReplyEffect } from '@troupe/core';
import {
  type ActorAddress,
  encodeOutcome,
  encodePayload,
  formatAddress,
  HEADERS,
  type Outcome,
  type Subjects,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import type { Log } from './log.ts';
import type { Ports } from './ports.ts';

interface ReplyHost {
  readonly ports: Ports;
  readonly subjects: Subjects;
  readonly log: Log;
}

type Reply = Pick<ReplyEffect, 'replyTo' | 'taskId' | 'turnSeq' | 'outcome' | 'contentType' | 'repeat' | 'id'>;

/**
 * Sends an outcome to whoever waits and to the actor's out subject. At least once: a lost reply is
 * found again by `query outcome`.
 */
export function publishOutcome(
  host: ReplyHost,
  address: ActorAddress,
  definition: ActorDefinition | undefined,
  reply: Reply,
): void {
  const message = encode(host, address, definition, reply, reply.outcome);
  if (message === undefined) return;
  const { bus } = host.ports;
  for (const replyTo of reply.replyTo)
    tryPublish(host, replyTo, () => bus.publish(replyTo, message.payload, message.headers));
  if (reply.repeat) return;
  const out = host.subjects.out(address);
  if (definition?.out === 'keep') {
    bus
      .publishDurable(out, message.payload, message.headers)
      .catch((error: unknown) => host.log.warn({ subject: out, error: String(error) }, 'an outcome was not kept'));
  } else tryPublish(host, out, () => bus.publish(out, message.payload, message.headers));
}

function encode(
  host: ReplyHost,
  address: ActorAddress,
  definition: ActorDefinition | undefined,
  reply: Reply,
  outcome: Outcome,
): ReturnType<typeof encodeOutcome> | undefined {
  const info = {
    actor: address,
    seq: reply.turnSeq,
    taskId: reply.taskId,
    version: definition?.version,
    effectId: `${formatAddress(address)}@${reply.id}`,
    outcome,
  };
  try {
    const message = encodeOutcome(info, reply.contentType);
    const bytesMax = host.ports.bus.payloadBytesMax;
    if (message.payload.length + 1_024 <= bytesMax) return message;
    return tooLarge(
      host,
      address,
      definition,
      reply,
      `it takes ${message.payload.length} bytes, and the server's limit is ${bytesMax}`,
    );
  } catch (error) {
    return tooLarge(host, address, definition, reply, String(error));
  }
}

function tooLarge(
  host: ReplyHost,
  address: ActorAddress,
  definition: ActorDefinition | undefined,
  reply: Reply,
  why: string,
): ReturnType<typeof encodeOutcome> | undefined {
  if (!reply.outcome.ok) {
    host.log.error({ actor: formatAddress(address), why }, 'an error outcome could not be sent');
    return undefined;
  }
  const error = new TroupeError(
    'OutcomeTooLarge',
    `The outcome of task ${reply.taskId} can't be sent: ${why}. Reply with less, or publish the data elsewhere.`,
  );
  return encode(host, address, definition, reply, {
    ok: false,
    error: toFailureRecord(error, { actor: formatAddress(address), taskId: reply.taskId }),
  });
}

/** Publishes an emitted event. `onDone` is called once it needs no repeating. */
export function publishEmit(
  host: ReplyHost,
  cell: ActorCell,
  effectId: string,
  event: { readonly type: string },
  onDone?: () => void,
): void {
  const subject = host.subjects.out(cell.address);
  const headers = { [HEADERS.effectId]: effectId.replace(/[\r\n]/g, ' '), [HEADERS.contentType]: 'application/json' };
  try {
    const payload = encodePayload(event, 'application/json');
    if (cell.definition.out === 'keep') {
      host.ports.bus
        .publishDurable(subject, payload, headers)
        .catch((error: unknown) => host.log.warn({ subject, error: String(error) }, 'an emitted event was not kept'))
        .finally(() => onDone?.());
      return;
    }
    host.ports.bus.publish(subject, payload, headers);
  } catch (error) {
    host.log.warn(
      { actor: formatAddress(cell.address), event: event.type, error: String(error) },
      'an emitted event could not be published',
    );
  }
  onDone?.();
}

function tryPublish(host: ReplyHost, subject: string, publish: () => void): void {
  try {
    publish();
  } catch (error) {
    host.log.warn({ subject, error: String(error) }, 'an outcome could not be published');
  }
}

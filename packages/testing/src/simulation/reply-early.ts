/**
 * Ports of a worker that does without R13: it tells an outcome as soon as the effect that the turn waits for has ended,
 * before the entry with that end is stored, so that it may be told what another entry then makes untrue.
 */
import { type ActorDefinition, step } from '@troupe/core';
import type { Ports } from '@troupe/runtime';
import { encodeOutcome, formatAddress } from '@troupe/wire';
import type { Oracle } from './oracle.ts';

export function repliesEarly(ports: Ports, definition: ActorDefinition, oracle: Oracle): Ports {
  const { journal, bus, clock } = ports;
  const early: Ports['journal'] = {
    partitions: journal.partitions,
    partitionOf: (address) => journal.partitionOf(address),
    publish: (verb, address, payload, headers) => journal.publish(verb, address, payload, headers),
    read: (options) => journal.read(options),
    headSeq: (partition) => journal.headSeq(partition),
    readActor: (address, range) => journal.readActor(address, range),
    firstSeqSince: (partition, atMs) => journal.firstSeqSince(partition, atMs),
    purge: (partition, beforeSeq) => journal.purge(partition, beforeSeq),
    info: () => journal.info(),
    append: (address, body) => {
      const name = formatAddress(address);
      const actor = oracle.actors.get(name);
      if (actor !== undefined && body.kind === 'outcome' && oracle.knowsCall(body.effectId)) {
        const entry = { seq: actor.state.seq + 1, at: clock.now(), body };
        for (const effect of step(definition, actor.state, entry).effects) {
          if (effect.kind !== 'reply') continue;
          const { taskId, outcome, turnSeq: seq } = effect;
          const told = encodeOutcome({ actor: address, seq, taskId, effectId: `${name}@${effect.id}`, outcome });
          for (const replyTo of effect.replyTo) bus.publish(replyTo, told.payload, told.headers);
        }
      }
      return journal.append(address, body);
    },
  };
  return { ...ports, journal: early };
}

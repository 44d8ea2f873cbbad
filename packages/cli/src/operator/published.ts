/** What actors publish, from everybody at once: outcomes and emitted events. */
import type { OpenPorts } from '@troupe/service-worker';
import { type DecodedOutcome, decodeKey, decodeOutcome, HEADERS } from '@troupe/wire';

export type Published =
  | {
      readonly kind: 'outcome';
      readonly actor: string;
      readonly seq: number | undefined;
      readonly taskId: string;
      readonly outcome: DecodedOutcome['outcome'];
    }
  | { readonly kind: 'event'; readonly actor: string; readonly event: unknown };

/** Which actors: all, those of a type, or one. */
export interface PublishedFilter {
  readonly type?: string;
  readonly key?: string;
}

interface Message {
  readonly subject: string;
  readonly payload: Uint8Array;
  header(name: string): string | undefined;
}

/** Listens until closed. `onPublished` is called in the order of arrival. */
export function listenToPublished(
  open: OpenPorts,
  filter: PublishedFilter,
  onPublished: (what: Published) => void,
): { close(): void } {
  const { subjects } = open.config;
  const { bus } = open.ports;
  const subject =
    filter.type === undefined
      ? subjects.every('out')
      : filter.key === undefined
        ? subjects.ofType('out', filter.type)
        : subjects.out({ type: filter.type, key: filter.key });
  return bus.subscribe(subject, {}, (message) => onPublished(readOut(message)));
}

function readOut(message: Message): Published {
  const read = decodeOutcome(message);
  const actor = actorOf(message.subject);
  const taskId = message.header(HEADERS.taskId);
  if (taskId !== undefined) return { kind: 'outcome', actor, seq: read.seq, taskId, outcome: read.outcome };
  return { kind: 'event', actor, event: read.outcome.ok ? read.outcome.value : read.outcome.error };
}

/** The last two tokens name the actor, whatever the prefix. */
function actorOf(subject: string): string {
  const [type = '', token = ''] = subject.split('.').slice(-2);
  try {
    return `${type}/${decodeKey(token)}`;
  } catch {
    return `${type}/${token}`;
  }
}

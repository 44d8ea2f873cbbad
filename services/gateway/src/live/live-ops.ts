/** The questions of a page, answered from the history, the workers and the client. */
import { stepFacts } from '@troupe/core';
import { type History, openHistory } from '@troupe/inspect';
import type { FullStep, LiveOp, LiveOps, LiveSequence, LiveSpan } from '@troupe/service-inspector';
import { type ActorAddress, type MachineStructure, parseAddress, TroupeError } from '@troupe/wire';
import type { Principal } from '../auth/role.ts';
import type { GatewayContext } from '../context.ts';
import { liveStashed, liveStep } from './slim.ts';

/** Steps of one answer. */
const STEPS_MAX = 1_000;
const ANSWER_MS = 5_000;
/** Waiting inputs of one answer. */
const STASHED_MAX = 200;
/** Structures kept, by type and hash. */
const STRUCTURES_MAX = 256;
/** How long a structure that came from a worker is believed, ms: code may be reloaded. */
const STRUCTURE_MS = 5_000;

type Handler<O extends LiveOp> = (
  args: LiveOps[O]['args'],
  principal: Principal,
) => Promise<LiveOps[O]['value']> | LiveOps[O]['value'];

/** Those that need no state of the connection. */
export type PlainOp = Exclude<LiveOp, 'watchActors' | 'watchActor'>;
export type Ops = { readonly [O in PlainOp]: Handler<O> };

/** One for the whole gateway: the history keeps checkpoints in memory. */
export function createOps(context: GatewayContext): Ops {
  const { ports, definitions, subjects } = context;
  const history: History = openHistory({ ports, actors: definitions });
  const structures = new Structures(context);
  const line = (actor: string) => history.of(addressOf(actor));
  return {
    hello: (_args, { name, role }) => ({ name, role, prefix: subjects.prefix }),
    structure: ({ type }) => structures.of(type),
    async span({ actor }): Promise<LiveSpan> {
      const span = await line(actor).span();
      if (span === undefined) throw new TroupeError('NotFound', `Nothing is kept of ${actor}. Check type and key.`);
      const { firstSeq, lastSeq, shownFromSeq, snapshots } = span;
      // Steps can be shown behind the oldest state that is known.
      return { firstSeq: Math.max(firstSeq, shownFromSeq + 1), lastSeq, snapshots: snapshots.map(({ seq }) => seq) };
    },
    async steps({ actor, fromSeq, toSeq, last }) {
      const range = { ...optional({ fromSeq, toSeq }), limit: STEPS_MAX };
      const wanted = last === undefined ? range : { ...range, last: Math.min(whole(last), STEPS_MAX) };
      // Not `steps`: it describes every state and compares them, and here nobody looks at them.
      const { steps } = await line(actor).folded({ ...wanted, transitions: true });
      const definition = history.definition(addressOf(actor).type)!;
      return { steps: steps.map((step) => liveStep(stepFacts(definition, step))) };
    },
    async step({ actor, seq }): Promise<FullStep> {
      const timeline = line(actor);
      const record = await timeline.step(whole(seq));
      const stash = (await timeline.actorState(record.seq))?.stash ?? [];
      return {
        step: liveStep(record),
        state: record.state,
        changes: record.changes,
        stash: stash.slice(0, STASHED_MAX).map(liveStashed),
      };
    },
    async state({ actor }) {
      const { type, key } = addressOf(actor);
      return context.troupe.actor(type, key).query('state', {}, { timeoutMs: ANSWER_MS, signal: context.signal });
    },
    async correlate({ actor, seq }): Promise<LiveSequence> {
      return history.correlate({ actor, seq: whole(seq) });
    },
    async send({ actor, kind, input }, principal) {
      if (principal.role !== 'operate') {
        throw new TroupeError('PermissionDenied', 'Sending needs the role operate; this token may only read.');
      }
      const { type, key } = addressOf(actor);
      const ref = context.troupe.actor(type, key);
      const options = { timeoutMs: ANSWER_MS, signal: context.signal };
      const accepted =
        kind === 'signal' ? await ref.signal(eventOf(input), options) : await ref.send(input as never, options);
      context.log.info({ actor, seq: accepted.seq, kind, by: principal.name }, 'a page sent something');
      return { taskId: accepted.taskId, seq: accepted.seq };
    },
  };
}

function addressOf(actor: unknown): ActorAddress {
  if (typeof actor !== 'string') throw new TroupeError('InvalidPayload', 'The argument actor has to be <type>/<key>.');
  return parseAddress(actor);
}

function whole(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new TroupeError('InvalidPayload', 'A sequence or a count has to be a whole number from 0 on.');
}

function eventOf(input: unknown): { readonly type: string } {
  if (typeof (input as { type?: unknown } | null)?.type === 'string') return input as { readonly type: string };
  throw new TroupeError('InvalidPayload', 'A signal is an event: an object with a string `type`.');
}

function optional(range: { readonly fromSeq?: number | undefined; readonly toSeq?: number | undefined }) {
  const { fromSeq, toSeq } = range;
  return {
    ...(fromSeq === undefined ? {} : { fromSeq: whole(fromSeq) }),
    ...(toSeq === undefined ? {} : { toSeq: whole(toSeq) }),
  };
}

/** Machines as workers have them, else as the gateway's own code does. */
class Structures {
  readonly #context: GatewayContext;
  readonly #kept = new Map<string, { readonly at: number; readonly structure: Promise<MachineStructure> }>();

  constructor(context: GatewayContext) {
    this.#context = context;
  }

  of(type: unknown): Promise<MachineStructure> {
    if (typeof type !== 'string') throw new TroupeError('InvalidPayload', 'The argument type has to be an actor type.');
    const now = performance.now();
    const known = this.#kept.get(type);
    if (known !== undefined && now - known.at < STRUCTURE_MS) return known.structure;
    const structure = this.#ask(type);
    structure.catch(() => this.#kept.delete(type));
    if (this.#kept.size >= STRUCTURES_MAX) this.#kept.clear();
    this.#kept.set(type, { at: now, structure });
    return structure;
  }

  async #ask(type: string): Promise<MachineStructure> {
    const { ports, subjects, definitions } = this.#context;
    const payload = new TextEncoder().encode(JSON.stringify({ type }));
    try {
      const answer = await ports.bus.request(subjects.control('structure'), payload, { timeoutMs: 1_500 });
      const found = JSON.parse(new TextDecoder().decode(answer.payload)) as MachineStructure;
      if (found.root !== undefined) return found;
    } catch {
      // No worker has it: perhaps the code is here.
    }
    const definition = definitions.find((one) => one.type === type);
    if (definition !== undefined) {
      const { hash, version, driver } = definition;
      return { type, version, hash, ...driver.structure() };
    }
    throw new TroupeError(
      'UnknownActorType',
      `No worker that runs has actors of type '${type}', so its machine is not known.`,
    );
  }
}

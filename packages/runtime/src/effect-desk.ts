/**
 * Where the effects of a partition's steps are performed, in order per actor.
 *
 * Invariants
 * R1  Whatever must be acknowledged is owed by its actor until it is (`owe`, `pay`).
 * R5  Effects start only while ownership is fresh; until then they are held, in order.
 * R13 An outcome is told only after the entry has been folded: this is called with its effects.
 */
import { type ActorState, type Effect, effectIdOf, turnDurationMs, withEffectId } from '@troupe/core';
import {
  type ActorAddress,
  type FailureRecord,
  formatAddress,
  type InternalBody,
  type StoredMessage,
  TroupeError,
  toFailureRecord,
} from '@troupe/wire';
import type { ActorCell } from './actor-cell.ts';
import { retryWhile } from './backoff.ts';
import { countDuration, noDurations } from './duration-buckets.ts';
import type { EffectHost } from './effect-runner.ts';
import type { PartitionHost } from './partition-host.ts';
import { PortError } from './ports.ts';
import { publishEmit, publishOutcome } from './replies.ts';

/** An effect together with the entry that caused it. */
interface Performed {
  readonly cell: ActorCell;
  readonly effect: Effect;
  readonly message: StoredMessage;
}

/** Effects that are acknowledged once and then done, and that a new owner need not repeat below `done`. */
const ONE_SHOT: ReadonlySet<Effect['kind']> = new Set([
  'reply',
  'answer',
  'ask',
  'send',
  'emit',
  'action',
  'dead-letter',
]);

/** What performing effects needs of the partition. */
export interface DeskOwner extends EffectHost {
  owe(cell: ActorCell, seq: number): void;
  pay(cell: ActorCell, seq: number): void;
  /** Something was done that the next owner would do again. */
  worked(): void;
  /** Less is held than before, or it can't be let go now. */
  eased(): void;
}

export class EffectDesk {
  readonly #host: PartitionHost;
  readonly #owner: DeskOwner;
  #held: Performed[] = [];
  #lettingGo = false;

  constructor(host: PartitionHost, owner: DeskOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Effects that wait for ownership to be fresh. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes the effects of the step from `before`. `repeated`: its one-shot effects were done by an owner before. */
  perform(
    cell: ActorCell,
    before: ActorState,
    effects: readonly Effect[],
    message: StoredMessage,
    repeated: boolean,
  ): void {
    for (const effect of effects) {
      if (effect.kind === 'answer' || (effect.kind === 'reply' && !effect.repeat))
        this.#count(cell, effect.outcome.ok, repeated ? undefined : turnDurationMs(before, effect, cell.state!.now));
      if (!ONE_SHOT.has(effect.kind)) this.#now({ cell, effect, message });
      else if (!repeated) this.#once({ cell, effect, message });
    }
  }

  /** Performs what was held, as much per turn of the event loop as the pace allows; what comes meanwhile waits behind. */
  letGo(): void {
    if (!this.#lettingGo) void this.#letGo();
  }

  async #letGo(): Promise<void> {
    const { pace } = this.#host;
    this.#lettingGo = true;
    while (this.#held.length > 0) {
      const room = pace.take(this.#held.length) || (await pace.next(this.#held.length));
      // R5: meanwhile the lease may have grown old.
      const going = this.#owner.fresh;
      for (const one of going ? this.#held.splice(0, room) : []) this.#execute(one);
      this.#owner.eased();
      if (!going) break;
    }
    this.#lettingGo = false;
  }

  clear(): void {
    this.#held = [];
  }

  /** Keeps an entry that could not be applied, with the reason. */
  async deadLetter(address: ActorAddress, message: StoredMessage, error: FailureRecord): Promise<void> {
    const { clock, counters, log, ports, subjects } = this.#host;
    counters.deadLetters++;
    const letter = {
      seq: message.seq,
      at: message.at,
      address,
      code: error.code,
      message: error.message,
      verb: message.verb,
      subject: `${subjects.prefix}.${message.verb}.${message.type}.${message.keyToken}`,
      headers: message.headers(),
      payload: message.payload,
      ...(error.details === undefined ? {} : { details: error.details }),
    };
    await retryWhile(
      clock,
      () => !this.#owner.dropped,
      () => ports.deadLetters.put(letter),
    ).catch((failed: unknown) => {
      log.error({ seq: message.seq, code: error.code, error: String(failed) }, 'a dead letter could not be stored');
    });
  }

  /** Journals an entry, however often it has to be tried, while the partition is owned. */
  async append(address: ActorAddress, body: InternalBody): Promise<void> {
    const { clock, log, ports } = this.#host;
    await retryWhile(
      clock,
      () => !this.#owner.dropped,
      () => ports.journal.append(address, body),
    ).catch((error: unknown) => {
      log.error(
        { actor: formatAddress(address), kind: body.kind, error: String(error) },
        'an entry could not be journaled',
      );
    });
  }

  /** @param durationMs undefined: it was counted by the owner before. */
  #count(cell: ActorCell, succeeded: boolean, durationMs: number | undefined): void {
    const { counters } = this.#host;
    counters.turns++;
    if (!succeeded) cell.failures++;
    const { type } = cell.definition;
    let ofType = counters.byType.get(type);
    if (ofType === undefined) {
      ofType = { turns: 0, failed: 0, seconds: 0, buckets: noDurations() };
      counters.byType.set(type, ofType);
    }
    ofType.turns++;
    if (!succeeded) ofType.failed++;
    if (durationMs !== undefined) countDuration(ofType, durationMs);
  }

  #once(one: Performed): void {
    const free = this.#held.length === 0 && this.#owner.fresh;
    if (free && one.effect.kind === 'reply') {
      publishOutcome(this.#host, one.cell.address, one.cell.definition, one.effect);
      return;
    }
    this.#owner.worked();
    this.#owner.owe(one.cell, one.message.seq);
    if (free) this.#execute(one);
    else this.#held.push(one);
  }

  #now(one: Performed): void {
    if (this.#held.length === 0 && this.#owner.fresh) this.#execute(one);
    else this.#held.push(one);
  }

  #execute(one: Performed): void {
    const { cell, effect, message } = one;
    const { log, runner } = this.#host;
    switch (effect.kind) {
      case 'reply':
        publishOutcome(this.#host, cell.address, cell.definition, effect);
        this.#owner.pay(cell, message.seq);
        return;
      case 'emit':
        publishEmit(this.#host, cell, effectIdOf(cell.address, effect.id), effect.event, () =>
          this.#owner.pay(cell, message.seq),
        );
        return;
      case 'answer':
      case 'ask':
      case 'send':
        this.#send(one, effect);
        return;
      case 'action':
        this.#runAction(one, effect);
        return;
      case 'dead-letter':
        void this.deadLetter(cell.address, message, effect.error).finally(() => this.#owner.pay(cell, message.seq));
        return;
      case 'invoke': {
        const open = cell.state?.effects.get(effect.id);
        if (open !== undefined) runner.start(this.#owner, cell, open);
        return;
      }
      case 'cancel':
        runner.stop(this.#owner, cell, effect.effectId);
        return;
      case 'child-event':
        runner.send(this.#owner, cell, effect.effectId, effect.event);
        return;
      case 'log':
        log[effect.level](
          { actor: formatAddress(cell.address), seq: message.seq, value: effect.value },
          effect.message,
        );
        return;
    }
  }

  #send({ cell, message }: Performed, effect: Extract<Effect, { kind: 'answer' | 'ask' | 'send' }>): void {
    const body = bodyOf(cell.address, effect);
    this.#host.outbox.send({
      from: cell.address,
      to: effect.to,
      body,
      ordered: effect.kind !== 'answer',
      wanted: () => !this.#owner.dropped,
      onRefused: (error) => this.#undeliverable(cell.address, effect.to, body, error),
      onDone: () => this.#owner.pay(cell, message.seq),
    });
  }

  /** Whoever waits is told, and nobody is asked to deliver it again. */
  #undeliverable(from: ActorAddress, to: ActorAddress, body: InternalBody, error: unknown): void {
    const actor = formatAddress(from);
    this.#host.log.error(
      { actor, to: formatAddress(to), error: String(error) },
      'a message to another actor can never be delivered',
    );
    if (body.kind === 'ask') {
      const failure = toFailureRecord(error, { code: isTooLarge(error) ? 'PayloadTooLarge' : 'NotStorable', actor });
      void this.append(from, { kind: 'outcome', effectId: body.effectId, result: { ok: false, error: failure } });
    } else if (body.kind === 'outcome' && body.result.ok) {
      const code = isTooLarge(error) ? 'OutcomeTooLarge' : 'NotStorable';
      const why = new TroupeError(code, `The answer of ${actor} can't be delivered: ${String(error)}`);
      void this.append(to, { ...body, result: { ok: false, error: toFailureRecord(why) } });
    }
  }

  #runAction({ cell, message }: Performed, effect: Extract<Effect, { kind: 'action' }>): void {
    const effectId = effectIdOf(cell.address, effect.id);
    let sent = 0;
    // One after the other: the step keeps one watermark per action.
    let journaled = Promise.resolve();
    try {
      withEffectId(effectId, () =>
        effect.run({
          send: (path, event) => {
            const id = `${effectId}/${sent++}`;
            journaled = journaled.then(() => this.append(cell.address, { kind: 'self', effectId: id, path, event }));
          },
          emit: (_path, event) => this.#owner.emit(cell, effectId, event),
        }),
      );
    } catch (error) {
      this.#host.log.error(
        { actor: formatAddress(cell.address), seq: message.seq, action: effect.type, error: String(error) },
        'a custom action threw',
      );
    }
    if (sent === 0) this.#owner.pay(cell, message.seq);
    else void journaled.then(() => this.#owner.pay(cell, message.seq));
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof PortError && error.kind === 'too-large';
}

/** The journal entry that carries an answer, an ask or a message. */
function bodyOf(from: ActorAddress, effect: Extract<Effect, { kind: 'answer' | 'ask' | 'send' }>): InternalBody {
  if (effect.kind === 'answer') return { kind: 'outcome', effectId: effect.effectId, result: effect.outcome };
  const common = {
    effectId: effectIdOf(from, effect.id),
    from,
    causedAt: effect.causedAt,
    ...(effect.trace && { trace: effect.trace }),
  };
  if (effect.kind === 'send') return { kind: 'message', ...common, event: effect.event };
  return { kind: 'ask', ...common, payload: effect.payload, deadlineAt: effect.deadlineAt, chain: effect.chain };
}

/**
 * As much of a worker as the client can see: it makes the journal stream, takes tasks and signals in order, remembers task
 * ids, answers outcomes and queries. Faults are switches.
 */
import { createSubjects, decodePayload, encodeOutcome, encodeValue, type Outcome } from '@troupe/wire';
import {
  AckPolicy,
  connect,
  DeliverPolicy,
  headers,
  type JsMsg,
  type Msg,
  type NatsConnection,
  type Subscription,
} from 'nats';

/** What a script says to a task. `later`: the outcome comes by `finish`. */
export type Script = (input: unknown, message: { readonly taskId: string; readonly seq: number }) => Outcome | 'later';

export interface WorkerOptions {
  readonly url: string;
  readonly user?: string;
  readonly pass?: string;
  readonly script?: Script;
  /** Answers of queries besides `outcome`, by name. */
  readonly queries?: Readonly<Record<string, (args: Record<string, unknown>, key: string) => unknown>>;
  readonly stream?: { readonly max_bytes?: number; readonly max_msg_size?: number };
}

interface Known {
  readonly seq: number;
  readonly replyTo: string | undefined;
  readonly subject: string;
  outcome: Outcome | undefined;
}

const subjects = createSubjects('troupe');
const echo: Script = (input) => ({ ok: true, value: input });

export class ScriptedWorker implements AsyncDisposable {
  readonly nc: NatsConnection;
  /** Tasks and signals that took effect, in order. */
  readonly applied: { readonly taskId: string; readonly input: unknown; readonly subject: string }[] = [];
  /** Stored messages, repeats included. */
  stored = 0;
  /** True: outcomes are remembered, but their messages are lost. */
  loseReplies = false;
  /** True: queries for an outcome are answered `unknown`. */
  forgetful = false;
  readonly #options: WorkerOptions;
  readonly #known = new Map<string, Known>();
  #queries: Subscription | undefined;

  private constructor(nc: NatsConnection, options: WorkerOptions) {
    this.nc = nc;
    this.#options = options;
  }

  static async start(options: WorkerOptions): Promise<ScriptedWorker> {
    const { url, user, pass } = options;
    const nc = await connect({
      servers: url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      ...(user === undefined ? {} : { user, pass: pass ?? '' }),
    });
    const worker = new ScriptedWorker(nc, options);
    await worker.#provision();
    await worker.#consume();
    worker.serveQueries();
    return worker;
  }

  serveQueries(): void {
    this.#queries ??= this.nc.subscribe(subjects.every('query'), {
      queue: 'workers',
      callback: (_error, message) => this.#onQuery(message),
    });
  }

  stopQueries(): void {
    this.#queries?.unsubscribe();
    this.#queries = undefined;
  }

  /** Ends a task that the script left for later. */
  finish(taskId: string, outcome: Outcome): void {
    const known = this.#known.get(taskId);
    if (known === undefined) throw new Error(`No task ${taskId}`);
    known.outcome = outcome;
    this.#reply(taskId, known, known.replyTo);
  }

  emit(type: string, key: string, event: unknown, effectId: string): void {
    const head = headers();
    head.set('Troupe-Effect-Id', effectId);
    this.nc.publish(subjects.out({ type, key }), JSON.stringify(event), { headers: head });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nc.close();
  }

  async #provision(): Promise<void> {
    const jsm = await this.nc.jetstreamManager();
    await jsm.streams.add({
      name: 'JOURNAL',
      subjects: subjects.journalSubjects(),
      discard: 'new' as never,
      ...this.#options.stream,
    });
    await jsm.consumers.add('JOURNAL', {
      durable_name: 'worker',
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
    });
  }

  async #consume(): Promise<void> {
    const consumer = await this.nc.jetstream().consumers.get('JOURNAL', 'worker');
    await consumer.consume({ max_messages: 1_000, callback: (message) => this.#onEntry(message) });
  }

  #onEntry(message: JsMsg): void {
    this.stored++;
    const header = (name: string): string | undefined => message.headers?.get(name) || undefined;
    const taskId = header('Troupe-Task-Id') ?? `${message.seq}`;
    const replyTo = header('Troupe-Reply-To');
    const before = this.#known.get(taskId);
    if (before !== undefined) {
      this.#reply(taskId, before, replyTo);
      return;
    }
    const { value } = decodePayload(message.data, header('Content-Type'));
    const known: Known = { seq: message.seq, replyTo, subject: message.subject, outcome: undefined };
    this.#known.set(taskId, known);
    this.applied.push({ taskId, input: value, subject: message.subject });
    const outcome = (this.#options.script ?? echo)(value, { taskId, seq: message.seq });
    if (outcome !== 'later') known.outcome = outcome;
    this.#reply(taskId, known, replyTo, header('Content-Type'));
  }

  #reply(taskId: string, known: Known, replyTo: string | undefined, contentType?: string): void {
    if (known.outcome === undefined || replyTo === undefined || this.loseReplies) return;
    const [, , type = '', key = ''] = known.subject.split('.');
    const actor = { type, key };
    const info = {
      actor,
      seq: known.seq,
      taskId,
      version: 1,
      effectId: `${type}/${key}@${known.seq}.1`,
      outcome: known.outcome,
    };
    const wire = encodeOutcome(info, contentType as never);
    const head = headers();
    for (const [name, value] of Object.entries(wire.headers)) head.set(name, value);
    this.nc.publish(replyTo, wire.payload, { headers: head });
    this.nc.publish(subjects.out(actor), wire.payload, { headers: head });
  }

  #onQuery(message: Msg): void {
    const args = message.json<Record<string, unknown>>();
    const key = message.subject.split('.')[3] ?? '';
    const answer =
      args.query === 'outcome'
        ? this.#outcomeOf(String(args.taskId))
        : this.#options.queries?.[String(args.query)]?.(args, key);
    const head = headers();
    if (answer === undefined) {
      head.set('Nats-Service-Error-Code', '404');
      head.set('Nats-Service-Error', 'There is no such actor.');
      message.respond(JSON.stringify({ code: 'NotFound', message: 'There is no such actor.', retryable: false }), {
        headers: head,
      });
      return;
    }
    if (message.headers?.get('Accept') !== 'application/msgpack') {
      message.respond(JSON.stringify(answer));
      return;
    }
    head.set('Content-Type', 'application/msgpack');
    message.respond(encodeValue(answer), { headers: head });
  }

  #outcomeOf(taskId: string): unknown {
    const known = this.forgetful ? undefined : this.#known.get(taskId);
    if (known === undefined) return { status: 'unknown' };
    const { outcome } = known;
    return outcome === undefined ? { status: 'pending' } : { status: 'ended', ...outcome };
  }
}

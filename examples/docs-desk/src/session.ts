/** What is done once server and worker run: documents, questions, prompt. */
import { createInterface } from 'node:readline';
import { connect, type Troupe } from '@troupe/client';
import { bringDocuments } from './bring-documents.ts';
import { desk } from './contracts.ts';
import type { Found } from './documents.ts';
import { PORT_DEFAULT } from './options.ts';
import type { ProgressSink } from './progress.ts';
import { FOLDER_QUESTIONS, PACKAGE_QUESTIONS } from './questions.ts';
import { type Style, showAnswer, showCommands, showSeconds, styleFor } from './show.ts';
import type { Counts } from './worker-messages.ts';

/** What a session needs of what surrounds it. */
export interface SessionOptions {
  readonly natsUrl: string;
  /** Nobody else publishes documents on this server. */
  readonly alone: boolean;
  /** The documents are those of installed packages, so the questions can be about them. */
  readonly packages: boolean;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: ProgressSink;
  readonly stderr: ProgressSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  /** What the worker has done so far. */
  readonly counts: () => Promise<Counts | undefined>;
}

/** Key of the desk that the questions of the example go to, and of the one at the prompt. */
const GUEST = 'john';
const YOU = 'you';
const ASK_DEADLINE_MS = 60_000;

/** Connects. */
export async function openSession(options: SessionOptions): Promise<Session> {
  return new Session(await connect({ url: options.natsUrl, name: 'docs-desk' }), options);
}

/** A connection, and what the example does with it. */
export class Session {
  readonly #troupe: Troupe;
  readonly #options: SessionOptions;
  readonly #style: Style;
  #firstAnswerAt: number | undefined;

  constructor(troupe: Troupe, options: SessionOptions) {
    this.#troupe = troupe;
    this.#options = options;
    this.#style = styleFor(options.stdout.isTTY === true, options.env);
  }

  /** Closes the connection. */
  close(): Promise<void> {
    return this.#troupe.close();
  }

  /** Publishes what the librarians don't have yet. */
  async shelve(found: Found): Promise<void> {
    await bringDocuments(this.#troupe, found, this.#options);
  }

  /** The questions of the example, and what they cost. */
  async askQuestions(): Promise<void> {
    const questions = this.#options.packages ? PACKAGE_QUESTIONS : FOLDER_QUESTIONS;
    const before = await this.#options.counts();
    const startedAt = performance.now();
    this.#print('');
    for (const question of questions) await this.#ask(GUEST, question);
    const ms = performance.now() - startedAt;
    const after = await this.#options.counts();
    this.#print(this.#style('bold', 'What it cost'));
    if (before !== undefined && after !== undefined) {
      const turns = after.turns - before.turns;
      this.#print(
        `  ${questions.length} questions, one after the other: ${turns} turns in ${showSeconds(ms)}, ${((turns * 1_000) / ms).toFixed(0)} turns/s`,
      );
      this.#print(
        `  since the start: ${after.turns} turns, ${after.entries} journal entries, ${after.snapshots} snapshots`,
      );
    }
    if (this.#firstAnswerAt !== undefined)
      this.#print(`  first answer ${showSeconds(this.#firstAnswerAt - this.#options.startedAt)} after the start`);
    this.#print('');
  }

  /** What to type elsewhere. */
  showCommands(): void {
    const { natsUrl } = this.#options;
    this.#print(showCommands(natsUrl, natsUrl === `nats://127.0.0.1:${PORT_DEFAULT}`));
  }

  /** Answers what is typed, until it ends or a signal comes. */
  async prompt(): Promise<void> {
    const { signal, stdin } = this.#options;
    this.#print('Ask something. Ctrl-D or Ctrl-C ends it.\n');
    const lines = createInterface({ input: stdin, output: process.stdout, prompt: '? ' });
    const stop = (): void => lines.close();
    signal.addEventListener('abort', stop);
    lines.on('SIGINT', stop);
    try {
      lines.prompt();
      for await (const line of lines) {
        if (line.trim() !== '') await this.#ask(YOU, line.trim()).catch((error: Error) => this.#note(error.message));
        if (signal.aborted) break;
        lines.prompt();
      }
    } finally {
      signal.removeEventListener('abort', stop);
      lines.close();
    }
    if (signal.aborted && signal.reason instanceof Error) throw signal.reason;
  }

  async #ask(person: string, question: string): Promise<void> {
    const askedAt = performance.now();
    const answer = await this.#troupe
      .actor(desk, person)
      .ask(question, { deadlineMs: ASK_DEADLINE_MS, signal: this.#options.signal });
    const answeredAt = performance.now();
    this.#firstAnswerAt ??= answeredAt;
    this.#print(showAnswer(question, answer, answeredAt - askedAt, this.#style));
  }

  #print(text: string): void {
    this.#options.stdout.write(`${text}\n`);
  }

  #note(text: string): void {
    this.#options.stderr.write(`${text}\n`);
  }
}

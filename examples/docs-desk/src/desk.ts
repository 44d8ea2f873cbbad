/**
 * `desk/<person>`: remembers a person, and gets answers from librarians. A question goes to the directory, then to up to
 * four librarians at once; the best of their passages are the answer. Nobody waits in memory meanwhile: every ask and every
 * answer is an entry in somebody's journal.
 */
import { ask, type ContractMachineEvent, defineAgent } from '@troupe/agent';
import { assign, setup } from 'xstate';
import { answerText, merge } from './answers.ts';
import {
  type DeskAnswer,
  DIRECTORY_KEY,
  desk,
  directory,
  type LibrarianAnswer,
  librarian,
  type Passage,
} from './contracts.ts';
import { LIBRARIANS_ASKED_MAX } from './directory.ts';
import type { Weights } from './ranking.ts';
import { ASKED_MAX, fromMemory, isAboutMemory, type Memory, nameIn } from './small-talk.ts';

/** The question that is being answered. */
interface Inquiry {
  readonly question: string;
  readonly librarians: readonly string[];
  readonly weights: Weights;
  readonly passages: readonly Passage[];
  readonly silent: DeskAnswer['silent'];
}

interface DeskContext extends Memory {
  readonly inquiry: Inquiry;
}

/** Passages in an answer, and in each librarian's. */
const PASSAGES_MAX = 3;
/** A librarian that takes longer is left out of the answer. */
const ASK_TIMEOUT_MS = 10_000;
const NO_INQUIRY: Inquiry = { question: '', librarians: [], weights: [], passages: [], silent: [] };

function answerOf({ question, librarians, passages, silent }: Inquiry): DeskAnswer {
  const best = merge(passages, PASSAGES_MAX);
  return { text: answerText(question, best), passages: best, asked: [...librarians], silent };
}

function own(text: string): DeskAnswer {
  return { text, passages: [], asked: [], silent: [] };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const desks = setup({
  types: { context: {} as DeskContext, events: {} as ContractMachineEvent<typeof desk> },
  actors: { directory: ask(directory), librarian: ask(librarian) },
  guards: {
    introduces: ({ event }) => event.type === 'task' && nameIn(event.input) !== undefined,
    isAboutMemory: ({ event }) => event.type === 'task' && isAboutMemory(event.input),
    hasSeat: ({ context }, { seat }: { seat: number }) => seat < context.inquiry.librarians.length,
  },
  actions: {
    collect: assign(({ context }, { answer }: { answer: LibrarianAnswer }) => {
      const found = answer.kind === 'passages' ? answer.passages : [];
      return { inquiry: { ...context.inquiry, passages: [...context.inquiry.passages, ...found] } };
    }),
    noteSilence: assign(({ context }, { seat, error }: { seat: number; error: unknown }) => {
      const silence = { librarian: context.inquiry.librarians[seat]!, reason: reasonOf(error) };
      return { inquiry: { ...context.inquiry, silent: [...context.inquiry.silent, silence] } };
    }),
  },
});

/** One of the librarians that are asked at once. There is a seat for each; what isn't needed stays empty. */
function seat(index: number) {
  return desks.createStateConfig({
    initial: 'called',
    states: {
      called: {
        always: [{ guard: { type: 'hasSeat', params: { seat: index } }, target: 'asking' }, { target: 'left' }],
      },
      asking: {
        invoke: {
          src: 'librarian',
          input: ({ context: { inquiry } }) => ({
            key: inquiry.librarians[index]!,
            payload: {
              type: 'question',
              text: inquiry.question,
              weights: inquiry.weights.map(([word, weight]) => [word, weight]),
              countMax: PASSAGES_MAX,
            },
            timeoutMs: ASK_TIMEOUT_MS,
          }),
          onDone: { target: 'left', actions: { type: 'collect', params: ({ event }) => ({ answer: event.output }) } },
          onError: {
            target: 'left',
            actions: { type: 'noteSilence', params: ({ event }) => ({ seat: index, error: event.error }) },
          },
        },
      },
      left: { type: 'final' },
    },
  });
}

const seats = Object.fromEntries(
  Array.from({ length: LIBRARIANS_ASKED_MAX }, (_, index) => [`seat${index + 1}`, seat(index)]),
);

/** The machine. */
export const deskMachine = desks.createMachine({
  id: 'desk',
  context: { name: undefined, asked: [], inquiry: NO_INQUIRY },
  initial: 'listening',
  states: {
    listening: {
      entry: assign({ inquiry: NO_INQUIRY }),
      on: {
        task: [
          {
            guard: 'introduces',
            actions: [
              assign({ name: ({ event }) => nameIn(event.input) }),
              desk.reply(({ context }) => own(`Hello ${context.name}.`)),
            ],
          },
          {
            guard: 'isAboutMemory',
            actions: desk.reply(({ context, event }) => own(fromMemory(context, event.input))),
          },
          {
            target: 'choosing',
            actions: assign(({ context, event }) => ({
              asked: [...context.asked, event.input].slice(-ASKED_MAX),
              inquiry: { ...NO_INQUIRY, question: event.input },
            })),
          },
        ],
      },
    },
    choosing: {
      invoke: {
        src: 'directory',
        input: ({ context }) => ({ key: DIRECTORY_KEY, payload: context.inquiry.question, timeoutMs: ASK_TIMEOUT_MS }),
        onDone: {
          target: 'asking',
          actions: assign({
            inquiry: ({ context, event }) =>
              event.output.kind === 'route'
                ? { ...context.inquiry, librarians: event.output.librarians, weights: event.output.weights }
                : context.inquiry,
          }),
        },
      },
    },
    asking: { type: 'parallel', states: seats, onDone: 'answering' },
    answering: {
      entry: desk.reply(({ context }) => answerOf(context.inquiry)),
      always: 'listening',
    },
  },
});

export const deskAgent = defineAgent({
  contract: desk,
  version: 1,
  machine: deskMachine,
  expireAfterMs: 30 * 86_400_000,
});

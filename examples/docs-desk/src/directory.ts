/** `directory/main`: what each librarian has, and whom to ask. */
import { type ContractMachineEvent, defineAgent } from '@troupe/agent';
import { assign, setup } from 'xstate';
import { type DirectoryAnswer, directory } from './contracts.ts';
import { weigher, words } from './ranking.ts';

/** What a librarian said it has. */
interface Listing {
  readonly librarian: string;
  /** Words, most frequent first, in one string: a directory of hundreds stays small that way. */
  readonly terms: string;
  readonly sections: number;
  readonly files: Readonly<Record<string, string>>;
}

/** What the directory remembers. */
export interface DirectoryContext {
  readonly listings: readonly Listing[];
  readonly leftOut: readonly string[];
}

/** Characters of all listings together: below the 512 KiB that an answer about a state may have. */
export const LISTINGS_CHARS_MAX = 400 * 1024;
/** Names kept of librarians that did not fit. */
const LEFT_OUT_MAX = 100;
/** How many librarians are asked at most. */
export const LIBRARIANS_ASKED_MAX = 4;
/** One that scores below this share of the best is not worth asking. */
const SHARE_MIN = 0.3;
/** What it is worth when a question names the librarian. */
const NAMED_WEIGHT = 12;

type ListedEvent = Extract<ContractMachineEvent<typeof directory>, { type: 'listed' }>;

/** What the directory knows after a librarian said what it has. A librarian without sections is taken off. */
export function list(context: DirectoryContext, { librarian, terms, sections, files }: ListedEvent): DirectoryContext {
  const others = context.listings.filter((one) => one.librarian !== librarian);
  const leftOut = context.leftOut.filter((name) => name !== librarian);
  if (Object.keys(files).length === 0) return { listings: others, leftOut };
  const listings = [...others, { librarian, terms, sections, files }];
  const chars = listings.reduce((sum, one) => sum + listingChars(one), 0);
  if (chars > LISTINGS_CHARS_MAX) return { listings: others, leftOut: [...leftOut, librarian].slice(-LEFT_OUT_MAX) };
  return { listings, leftOut };
}

function listingChars({ terms, files }: Listing): number {
  return Object.entries(files).reduce((sum, [file, hash]) => sum + file.length + hash.length + 4, terms.length + 60);
}

/**
 * Whom to ask: librarians whose words are the question's, telling words counting more, frequent ones of the librarian too;
 * and those that the question names.
 */
export function route({ listings }: DirectoryContext, question: string): DirectoryAnswer {
  const asked = [...new Set(words(question))];
  const ranks = listings.map(({ librarian, terms }) => ({ name: librarian, places: placesOf(terms, asked) }));
  const weightOf = weigher(frequenciesOf(ranks.map(({ places }) => places)), ranks.length);
  const scored = ranks
    .map(({ name, places }) => ({
      name,
      score: scoreOf(places, weightOf) + (isNamed(name, question) ? NAMED_WEIGHT : 0),
    }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1));
  const best = scored[0]?.score ?? 0;
  const chosen = scored.filter(({ score }) => score >= best * SHARE_MIN).slice(0, LIBRARIANS_ASKED_MAX);
  return {
    kind: 'route',
    librarians: chosen.map(({ name }) => name),
    weights: asked.map((word) => [word, weightOf(word)]),
  };
}

/** Where the asked words stand among a librarian's, from 0 for its most frequent word to 1. */
function placesOf(terms: string, asked: readonly string[]): Map<string, number> {
  const all = terms.split(' ');
  const places = new Map<string, number>();
  for (const word of asked) {
    const at = all.indexOf(word);
    if (at >= 0) places.set(word, at / all.length);
  }
  return places;
}

function frequenciesOf(places: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const frequencies = new Map<string, number>();
  for (const one of places) for (const word of one.keys()) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  return frequencies;
}

function scoreOf(places: ReadonlyMap<string, number>, weightOf: (word: string) => number): number {
  return [...places].reduce((sum, [word, place]) => sum + weightOf(word) * (1 - 0.6 * place), 0);
}

function isNamed(name: string, question: string): boolean {
  const escaped = name.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, 'iu').test(question);
}

function catalogue({ listings, leftOut }: DirectoryContext): DirectoryAnswer {
  return {
    kind: 'catalogue',
    librarians: listings.map(({ librarian, files }) => ({ librarian, files: { ...files } })),
    sections: listings.reduce((sum, { sections }) => sum + sections, 0),
    leftOut: [...leftOut],
  };
}

/** The machine. */
export const directoryMachine = setup({
  types: { context: {} as DirectoryContext, events: {} as ContractMachineEvent<typeof directory> },
}).createMachine({
  id: 'directory',
  context: { listings: [], leftOut: [] },
  on: {
    task: { actions: directory.reply(({ context, event }) => route(context, event.input)) },
    catalogue: { actions: directory.reply(({ context }) => catalogue(context)) },
    listed: { actions: assign(({ context, event }) => list(context, event)) },
  },
});

export const directoryAgent = defineAgent({ contract: directory, version: 1, machine: directoryMachine });

/**
 * Which passages answer a question: BM25 over the words of a passage and its headings. No model, no network, no state:
 * the same passages and the same question give the same order everywhere.
 */
import type { Section } from './sections.ts';

/** A passage and how well it fits. */
export interface Ranked {
  readonly section: Section;
  readonly score: number;
}

/** How telling each word of a question is. A word that is absent counts as very telling: nobody else uses it. */
export type Weights = readonly (readonly [string, number])[];

/** How fast a repeated word stops counting, and how much a long passage is held back: BM25's usual values. */
const K1 = 1.2;
const B = 0.75;
/** Words of a usual passage. Fixed, so that scores of different librarians can be compared. */
const LENGTH_USUAL = 110;
/** A word in a heading counts as so many in the text. */
const HEADING_WEIGHT = 3;
const WORD_CHARS_MAX = 40;
const COUNT_PER_SECTION_MAX = 6;

/** Words that stand in every question. */
const STOP_WORDS = new Set(
  (
    'a about all also am an and any are as at be because been but by can could did do does doing done for from get gets ' +
    'give had has have having help here how i if in into is it its just know like make makes me mean more most much my ' +
    'need no not of on one only or other our out over please should show so some such tell than that the their them ' +
    'then there these they this those to too under up us use used uses using very via want was way we were what when ' +
    'where which while who why will with work works would yes you your'
  ).split(' '),
);

/**
 * The words of a text that can be searched for: lower case, without endings; `camelCase` gives its parts too.
 *
 * @example words('How do I use safeParse?') // ['safeparse', 'safe', 'pars']
 */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const [run] of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    add(found, run);
    if (HUMP.test(run)) for (const part of run.split(BETWEEN_HUMPS)) add(found, part);
  }
  return found;
}

const HUMP = /[\p{Ll}\p{N}]\p{Lu}/u;
const BETWEEN_HUMPS = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u;

function add(found: string[], run: string): void {
  const word = run.toLowerCase();
  if (word.length < 2 || word.length > WORD_CHARS_MAX || STOP_WORDS.has(word)) return;
  found.push(stem(word));
}

/** Cuts the endings that questions and manuals use differently; not more than that. */
function stem(word: string): string {
  if (word.length < 4) return word;
  const single = word
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^s])s$/, '$1');
  const base = single.replace(ENDINGS, (ending, at: number) => (at >= 3 ? '' : ending));
  return base === single ? base : base.replace(/([bdfgmnprt])\1$/, '$1');
}

const ENDINGS = /(?:i[sz]ation|ations?|at(?:e|ed|ing|or)|ions?|ings?|ed|er|e)$/;

interface IndexedSection {
  readonly section: Section;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

interface Index {
  readonly sections: readonly IndexedSection[];
  /** In how many sections a word stands. */
  readonly frequencies: ReadonlyMap<string, number>;
}

/**
 * Indices of what is in memory. Sections and lists of them never change, so this only saves work; nothing is held that its
 * owner has dropped.
 */
const indices = new WeakMap<readonly Section[], Index>();
const indexedSections = new WeakMap<Section, IndexedSection>();

/**
 * The best passages for a question, best first.
 *
 * @param weights Of the question's words, by whoever knows more than these sections. Default: from these sections.
 */
export function rank(sections: readonly Section[], question: string, countMax: number, weights?: Weights): Ranked[] {
  const index = indexOf(sections);
  const asked = [...new Set(words(question))];
  const weightOf = weights === undefined ? weigher(index.frequencies, index.sections.length) : given(weights);
  const total = asked.reduce((sum, word) => sum + weightOf(word), 0);
  if (total === 0) return [];
  const ranked: Ranked[] = [];
  for (const one of index.sections) {
    const score = scoreOf(one, asked, weightOf, total);
    if (score > 0) ranked.push({ section: one.section, score });
  }
  return ranked
    .sort((a, b) => b.score - a.score || compareText(a.section.file, b.section.file) || a.section.line - b.section.line)
    .slice(0, countMax);
}

/** BM25, times the share of the question that the passage speaks of: all words beat one word many times. */
function scoreOf(
  one: IndexedSection,
  asked: readonly string[],
  weightOf: (word: string) => number,
  total: number,
): number {
  let score = 0;
  let covered = 0;
  for (const word of asked) {
    const count = one.counts.get(word);
    if (count === undefined) continue;
    const weight = weightOf(word);
    covered += weight;
    score += (weight * count * (K1 + 1)) / (count + K1 * (1 - B + (B * one.length) / LENGTH_USUAL));
  }
  return score * (0.3 + (0.7 * covered) / total);
}

/**
 * How telling a word is that stands in so many of `count` texts: BM25's inverse frequency.
 */
export function weigher(frequencies: ReadonlyMap<string, number>, count: number): (word: string) => number {
  return (word) => {
    const frequency = frequencies.get(word) ?? 0;
    return Math.log(1 + (count - frequency + 0.5) / (frequency + 0.5));
  };
}

function given(weights: Weights): (word: string) => number {
  const byWord = new Map(weights);
  return (word) => byWord.get(word) ?? 0;
}

/**
 * The words that a librarian's sections are about, most frequent first: what it tells the directory. One section counts a
 * word only so often, so that a long list doesn't outshout the rest.
 */
export function terms(sections: readonly Section[], countMax: number): string[] {
  const { sections: indexed } = indexOf(sections);
  const sums = new Map<string, number>();
  for (const { counts } of indexed) {
    for (const [word, count] of counts) sums.set(word, (sums.get(word) ?? 0) + Math.min(count, COUNT_PER_SECTION_MAX));
  }
  return [...sums]
    .filter(([word]) => !/^\d+$/.test(word))
    .sort(([a, countA], [b, countB]) => countB - countA || compareText(a, b))
    .slice(0, countMax)
    .map(([word]) => word);
}

function indexOf(sections: readonly Section[]): Index {
  const known = indices.get(sections);
  if (known !== undefined) return known;
  const frequencies = new Map<string, number>();
  const indexed = sections.map(indexedSection);
  for (const { counts } of indexed) {
    for (const word of counts.keys()) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  }
  const index = { sections: indexed, frequencies };
  indices.set(sections, index);
  return index;
}

function indexedSection(section: Section): IndexedSection {
  const known = indexedSections.get(section);
  if (known !== undefined) return known;
  const counts = new Map<string, number>();
  const text = words(section.text);
  for (const word of text) counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const word of new Set(words(section.heading))) counts.set(word, (counts.get(word) ?? 0) + HEADING_WEIGHT);
  const indexed = { section, counts, length: text.length };
  indexedSections.set(section, indexed);
  return indexed;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

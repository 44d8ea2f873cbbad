/** From passages to an answer. */
import type { Passage } from './contracts.ts';

/** A passage below this share of the best one's score is left out. */
const SHARE_MIN = 0.35;

/** The best passages of all librarians, best first. */
export function merge(passages: readonly Passage[], countMax: number): Passage[] {
  const sorted = [...passages].sort((a, b) => b.score - a.score);
  const best = sorted[0]?.score ?? 0;
  return sorted.filter(({ score }) => score >= best * SHARE_MIN).slice(0, countMax);
}

/** The best passage with its place, and the places of the others. */
export function answerText(question: string, [best, ...others]: readonly Passage[]): string {
  if (best === undefined) return `No documentation here speaks of ${JSON.stringify(question)}.`;
  const more = others.length === 0 ? '' : `\n\nSee also: ${others.map(placeOf).join('; ')}`;
  return `${best.text}\n\n${placeOf(best)}${more}`;
}

/** Where a passage stands: package, file, line, headings. */
export function placeOf({ librarian, file, line, heading }: Passage): string {
  return `${librarian} ${file}:${line}${heading === '' ? '' : ` (${heading})`}`;
}

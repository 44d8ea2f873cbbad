/** What a desk answers by itself, from what it remembers of the person. */

/** What a desk remembers. */
export interface Memory {
  readonly name: string | undefined;
  /** Questions that went to librarians, oldest first. */
  readonly asked: readonly string[];
}

/** Questions that a desk remembers. */
export const ASKED_MAX = 50;
const NAME_CHARS_MAX = 80;
const INTRODUCTION = /^\W*(?:hello|hi|hey)?\W*my name is\s+(.+?)[\s.!]*$/iu;
const NAME_QUESTION = /\b(?:what(?:'s| is) my name|who am i)\b/i;
const HISTORY_QUESTION = /\bwhat (?:did|have) i ask/i;

/** The name that somebody introduces themselves with, if they do. */
export function nameIn(text: string): string | undefined {
  return INTRODUCTION.exec(text.trim())?.[1]?.slice(0, NAME_CHARS_MAX);
}

/** Whether the desk can answer this without anybody's help. */
export function isAboutMemory(text: string): boolean {
  return NAME_QUESTION.test(text) || HISTORY_QUESTION.test(text);
}

/** The answer to a question that `isAboutMemory`. */
export function fromMemory({ name, asked }: Memory, text: string): string {
  if (NAME_QUESTION.test(text)) return name ?? "You haven't told me your name yet.";
  if (asked.length === 0) return 'Nothing so far.';
  return asked.map((question, index) => `${index + 1}. ${question}`).join('\n');
}

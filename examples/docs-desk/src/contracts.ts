/** The words between the desk, the directory, the librarians and whoever talks to them. */
import { type ContractOutput, contract } from '@troupe/agent';
import { z } from 'zod';

const passage = z.object({
  /** Whose: the package or folder. */
  librarian: z.string(),
  file: z.string(),
  line: z.number(),
  heading: z.string(),
  text: z.string(),
  score: z.number(),
});

/** A piece of documentation with its place. */
export type Passage = z.infer<typeof passage>;

/** Words with their weights. Pairs, because a word may be `constructor`, which is no name for a field. */
const weights = z.array(z.tuple([z.string(), z.number()]));

/** `librarian/<package>` keeps the sections of a package's documentation and finds the best of them for a question. */
export const librarian = contract({
  type: 'librarian',
  task: {
    /** A question. */
    input: z.string(),
    output: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('passages'),
        passages: z.array(passage),
        /** Sections that did not fit into the librarian's memory. */
        leftOut: z.number(),
      }),
      z.object({
        kind: z.literal('shelved'),
        file: z.string(),
        /** The same content was there already. */
        known: z.boolean(),
        sections: z.number(),
        leftOut: z.number(),
      }),
    ]),
  },
  events: {
    /** A Markdown file, or one of its parts, in order. */
    document: z.object({
      file: z.string().min(1).max(500),
      text: z.string(),
      /** Of the whole file: the same again changes nothing. */
      hash: z.string().max(64).default(''),
      /** Line of the file at which the text begins. */
      line: z.number().int().min(1).default(1),
      part: z.number().int().min(1).default(1),
      parts: z.number().int().min(1).default(1),
    }),
    /** The file is no longer there. */
    forget: z.object({ file: z.string() }),
    /** A question with the weights of its words, so that answers of several librarians can be compared. */
    question: z.object({ text: z.string(), weights, countMax: z.number().int().min(1).max(20).default(3) }),
  },
});

/** `directory/main` knows what each librarian has, and whom to ask. Librarians tell it by themselves. */
export const directory = contract({
  type: 'directory',
  task: {
    /** A question. */
    input: z.string(),
    output: z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('route'),
        /** Whom to ask, best first. */
        librarians: z.array(z.string()),
        /** Of the question's words. */
        weights,
      }),
      z.object({
        kind: z.literal('catalogue'),
        /** Hash by file; only of files that were read to their end. */
        librarians: z.array(z.object({ librarian: z.string(), files: z.record(z.string(), z.string()) })),
        sections: z.number(),
        /** Librarians that did not fit into the directory. */
        leftOut: z.array(z.string()),
      }),
    ]),
  },
  events: {
    catalogue: z.object({}),
    /** What a librarian has now. */
    listed: z.object({
      librarian: z.string(),
      /** The words its sections are about, most frequent first, with spaces between. */
      terms: z.string(),
      sections: z.number(),
      files: z.record(z.string(), z.string()),
    }),
  },
});

/** `desk/<person>` remembers a person, and gets answers from librarians. */
export const desk = contract({
  type: 'desk',
  task: {
    input: z.string().min(1).max(2_000),
    output: z.object({
      /** Ready to read. */
      text: z.string(),
      /** Where it comes from, best first; empty when the desk answered by itself. */
      passages: z.array(passage),
      /** Who was asked. */
      asked: z.array(z.string()),
      /** Who did not answer in time, and why. */
      silent: z.array(z.object({ librarian: z.string(), reason: z.string() })),
    }),
  },
});

/** What `desk/<person>` replies. */
export type DeskAnswer = ContractOutput<typeof desk>;
/** What `librarian/<package>` replies. */
export type LibrarianAnswer = ContractOutput<typeof librarian>;
/** What `directory/main` replies. */
export type DirectoryAnswer = ContractOutput<typeof directory>;

/** Key of the one directory. */
export const DIRECTORY_KEY = 'main';

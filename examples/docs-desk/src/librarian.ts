/** `librarian/<package>`: files in, passages out. One state; everything is in its context. */
import { type ContractMachineEvent, defineAgent, tell } from '@troupe/agent';
import { assign, setup } from 'xstate';
import { DIRECTORY_KEY, directory, type LibrarianAnswer, librarian } from './contracts.ts';
import { rank, terms, type Weights } from './ranking.ts';
import { type Section, splitSections } from './sections.ts';

/** What is known of a file. */
interface FileRecord {
  readonly hash: string;
  /** How many of its parts have been read, in order. */
  readonly partsRead: number;
  readonly parts: number;
  readonly sections: number;
  readonly leftOut: number;
}

/** What a librarian remembers. */
export interface LibrarianContext {
  readonly name: string;
  readonly sections: readonly Section[];
  readonly files: Readonly<Record<string, FileRecord>>;
  /** Of all sections together, as `sectionBytes` counts. */
  readonly bytes: number;
}

/**
 * Bytes of sections that a librarian keeps. An actor's state may have 768 KiB, and one answer about it 512 KiB; below that,
 * `troupe state show` can still show it whole. What comes after is counted and left out.
 */
export const SECTIONS_BYTES_MAX = 400 * 1024;
/** Files that a librarian keeps track of. */
export const FILES_MAX = 1_000;
/** Words that a librarian tells the directory. */
const TERMS_MAX = 300;
const PASSAGES_DEFAULT = 3;

type DocumentEvent = Extract<ContractMachineEvent<typeof librarian>, { type: 'document' }>;

/** What the librarian knows after reading a file or a part of one. The same content again changes nothing. */
export function shelve(context: LibrarianContext, document: DocumentEvent): LibrarianContext {
  if (isKnown(context, document)) return context;
  const first = document.part === 1;
  const base = first ? forget(context, document.file) : context;
  const before = base.files[document.file];
  if (!first && (before?.hash !== document.hash || before.partsRead !== document.part - 1)) return context;
  if (before === undefined && Object.keys(base.files).length >= FILES_MAX) return context;
  const found = splitSections(document.file, document.text, document.line);
  const fitting = fittingCount(found, SECTIONS_BYTES_MAX - base.bytes);
  const kept = found.slice(0, fitting);
  const record: FileRecord = {
    hash: document.hash,
    partsRead: document.part,
    parts: document.parts,
    sections: (before?.sections ?? 0) + kept.length,
    leftOut: (before?.leftOut ?? 0) + found.length - kept.length,
  };
  return {
    ...base,
    sections: [...base.sections, ...kept],
    files: { ...base.files, [document.file]: record },
    bytes: base.bytes + sumBytes(kept),
  };
}

/** What the librarian knows without a file. */
export function forget(context: LibrarianContext, file: string): LibrarianContext {
  if (!Object.hasOwn(context.files, file)) return context;
  const { [file]: _gone, ...files } = context.files;
  const sections = context.sections.filter((section) => section.file !== file);
  return { ...context, sections, files, bytes: sumBytes(sections) };
}

/** Whether this very content, up to this part, has been read. */
export function isKnown({ files }: LibrarianContext, { file, hash, part, parts }: DocumentEvent): boolean {
  const record = Object.hasOwn(files, file) ? files[file] : undefined;
  return (
    record !== undefined && hash !== '' && record.hash === hash && record.parts === parts && record.partsRead >= part
  );
}

function fittingCount(sections: readonly Section[], bytesMax: number): number {
  let bytes = 0;
  const over = sections.findIndex((section) => {
    bytes += sectionBytes(section);
    return bytes > bytesMax;
  });
  return over < 0 ? sections.length : over;
}

function sumBytes(sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + sectionBytes(section), 0);
}

/** About what a section takes in the stored state: UTF-8 of its texts, and a few bytes for its shape. */
function sectionBytes({ file, heading, text }: Section): number {
  return utf8Length(text) + utf8Length(heading) + utf8Length(file) + 24;
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7ff && (code < 0xd800 || code > 0xdfff)) bytes += 2;
    else if (code > 0x7f) bytes += 1;
  }
  return bytes;
}

function leftOut(context: LibrarianContext): number {
  return Object.values(context.files).reduce((sum, file) => sum + file.leftOut, 0);
}

function passages(context: LibrarianContext, text: string, countMax: number, weights?: Weights): LibrarianAnswer {
  const ranked = rank(context.sections, text, countMax, weights);
  return {
    kind: 'passages',
    passages: ranked.map(({ section, score }) => ({ librarian: context.name, ...section, score })),
    leftOut: leftOut(context),
  };
}

function shelved(context: LibrarianContext, file: string, known: boolean): LibrarianAnswer {
  const record = context.files[file];
  return { kind: 'shelved', file, known, sections: record?.sections ?? 0, leftOut: record?.leftOut ?? 0 };
}

function listing(context: LibrarianContext) {
  const complete = Object.entries(context.files).filter(([, file]) => file.partsRead === file.parts);
  return {
    type: 'listed' as const,
    librarian: context.name,
    terms: terms(context.sections, TERMS_MAX).join(' '),
    sections: context.sections.length,
    files: Object.fromEntries(complete.map(([file, { hash }]) => [file, hash])),
  };
}

/** The machine: plain XState, with `reply` and `tell` as actions. */
export const librarianMachine = setup({
  types: {
    context: {} as LibrarianContext,
    events: {} as ContractMachineEvent<typeof librarian>,
    input: {} as { type: string; key: string },
  },
  guards: {
    known: ({ context, event }) => event.type === 'document' && isKnown(context, event),
  },
}).createMachine({
  id: 'librarian',
  context: ({ input }) => ({ name: input.key, sections: [], files: {}, bytes: 0 }),
  on: {
    task: {
      actions: librarian.reply(({ context, event }) => passages(context, event.input, PASSAGES_DEFAULT)),
    },
    question: {
      actions: librarian.reply(({ context, event }) => passages(context, event.text, event.countMax, event.weights)),
    },
    document: [
      { guard: 'known', actions: librarian.reply(({ context, event }) => shelved(context, event.file, true)) },
      {
        actions: [
          assign(({ context, event }) => shelve(context, event)),
          tell(directory, DIRECTORY_KEY, ({ context }) => listing(context)),
          librarian.reply(({ context, event }) => shelved(context, event.file, false)),
        ],
      },
    ],
    forget: {
      actions: [
        assign(({ context, event }) => forget(context, event.file)),
        tell(directory, DIRECTORY_KEY, ({ context }) => listing(context)),
        librarian.reply(({ context, event }) => shelved(context, event.file, false)),
      ],
    },
  },
});

export const librarianAgent = defineAgent({ contract: librarian, version: 1, machine: librarianMachine });

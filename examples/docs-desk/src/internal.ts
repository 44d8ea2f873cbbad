/** For this example's own tests, and for `troupe dev --docs`. */
export { merge, placeOf } from './answers.ts';
export { lockData } from './data-lock.ts';
export { type DirectoryContext, list, route } from './directory.ts';
export { type Document, findFolderDocuments, findPackageDocuments, isDocumentation } from './documents.ts';
export { forget, type LibrarianContext, SECTIONS_BYTES_MAX, shelve } from './librarian.ts';
export { parseOptions } from './options.ts';
export { Progress } from './progress.ts';
export { rank, terms, words } from './ranking.ts';
export { PASSAGE_CHARS_MAX, type Section, splitParts, splitSections } from './sections.ts';
export { planWork } from './shelving.ts';
export { excerpt, showAnswer } from './show.ts';
export { fromMemory, isAboutMemory, nameIn } from './small-talk.ts';

/** The agents of the example, and what it takes to run them. */
export { desk, directory, librarian } from './contracts.ts';
export { deskAgent } from './desk.ts';
export { directoryAgent } from './directory.ts';
export { librarianAgent } from './librarian.ts';

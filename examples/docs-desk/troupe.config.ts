/** What `troupe dev`, `troupe worker` and `npm start` host here. */
import { defineConfig } from '@troupe/agent';
import { deskAgent } from './src/desk.ts';
import { directoryAgent } from './src/directory.ts';
import { librarianAgent } from './src/librarian.ts';

export default defineConfig({ actors: [deskAgent, directoryAgent, librarianAgent] });

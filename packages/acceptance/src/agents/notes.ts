/** Notes that survive the process that wrote them: how often something outside was called. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

export function note(name: string, line: string): void {
  const folder = process.env.TROUPE_NOTES_DIR;
  if (folder !== undefined) appendFileSync(join(folder, name), `${line}\n`);
}

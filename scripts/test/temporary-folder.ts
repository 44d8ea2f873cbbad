import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder that is gone at the end of the scope. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'troupe-scripts-'));

  /** Writes a file, with the folders above it; returns its path. */
  write(name: string, text: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Writes a shell script that can be run; returns its path. */
  command(name: string, script: string): string {
    const path = this.write(name, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

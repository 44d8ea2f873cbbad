/** What a check is: one small file under `checks/`, listed in `checks.ts`. */
import type { Finding } from './finding.ts';
import type { Look } from './look.ts';

export interface Check {
  /** As `--skip` takes it, and as findings begin with. */
  readonly name: string;
  /** What it looks at, for the guide and for `--skip` of something misspelt. */
  readonly looksAt: string;
  /** What it throws becomes an `unknown` finding. */
  run(look: Look): Promise<Finding | readonly Finding[]>;
}

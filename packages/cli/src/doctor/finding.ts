/** What a check found. */
export interface Finding {
  readonly check: string;
  /** `unknown`: it could not be made, which is not the same as well. */
  readonly status: 'ok' | 'warning' | 'problem' | 'unknown';
  readonly message: string;
  /** What to type next; absent where all is well. */
  readonly fix?: string;
}

export const ok = (check: string, message: string): Finding => ({ check, status: 'ok', message });
export const warning = (check: string, message: string, fix: string): Finding => ({
  check,
  status: 'warning',
  message,
  fix,
});
export const problem = (check: string, message: string, fix: string): Finding => ({
  check,
  status: 'problem',
  message,
  fix,
});
export const unknown = (check: string, message: string, fix: string): Finding => ({
  check,
  status: 'unknown',
  message,
  fix,
});

/** What all findings together say. */
export type Verdict = 'healthy' | 'degraded' | 'failing';

/** The worst of them; what is not known is not healthy. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ status }) => status === 'problem')) return 'failing';
  return findings.every(({ status }) => status === 'ok') ? 'healthy' : 'degraded';
}

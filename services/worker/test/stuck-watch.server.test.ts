/** A watched event loop that does not turn, in real processes: only there something can be stuck, frozen and killed. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const BLOCKED = fileURLToPath(new URL('fixtures/blocked.ts', import.meta.url));

interface End {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it; `onBlocking` is called with its process id once its event loop stands. */
function blocked(ms: number, flags: readonly string[], onBlocking: (pid: number) => void = () => {}): Promise<End> {
  const child = spawn(process.execPath, [...flags, BLOCKED, `${ms}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (text.includes('blocking')) onBlocking(child.pid!);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.once('close', (_code, signal) => resolve({ signal, stdout, stderr })));
}

describe('an event loop under watch', () => {
  test('that does not turn for longer than the limit ends with its process, which says so', async () => {
    const { signal, stdout, stderr } = await blocked(20_000, []);
    expect({ signal, stdout }).toEqual({ signal: 'SIGKILL', stdout: 'blocking\n' });
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; component: string; stuckMs?: number });
    expect(lines.map(({ component }) => component)).toEqual(lines.map(() => 'blocked'));
    expect(lines.at(-1)!.msg).toContain('this process ends itself');
  });

  test('that turns again before the limit is left alone', async () => {
    const { signal, stdout } = await blocked(50, []);
    expect({ signal, stdout }).toEqual({ signal: null, stdout: 'blocking\nalive\n' });
  });

  test('is left alone when a debugger may have stopped it', async () => {
    const { signal, stdout } = await blocked(1_500, ['--inspect=127.0.0.1:0']);
    expect({ signal, stdout }).toEqual({ signal: null, stdout: 'blocking\nalive\n' });
  });

  test('is not blamed for the time in which its process was frozen', async () => {
    const { signal, stdout } = await blocked(50, [], (pid) => {
      process.kill(pid, 'SIGSTOP');
      void sleep(2_000).then(() => process.kill(pid, 'SIGCONT'));
    });
    expect({ signal, stdout }).toEqual({ signal: null, stdout: 'blocking\nalive\n' });
  });
});

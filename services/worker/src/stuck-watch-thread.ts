/** The thread that watches an event loop; see `stuck-watch.ts` for its invariants. It writes to stderr itself: the loop can't. */
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { BEATS, DEBUGGED, type WatchData } from './stuck-watch-data.ts';

const { cells, limitMs, lookMs, fields } = workerData as WatchData;

/** Frames that are told. */
const FRAMES_MAX = 12;
const STDERR = 2;

/** In a frame of the runtime: which actor, and which entry or effect. */
const WHERE = `(() => {
  const of = (at) => at && typeof at.type === 'string' && typeof at.key === 'string' ? at.type + '/' + at.key : undefined;
  const entry = typeof message === 'object' && message ? message : undefined;
  const call = typeof run === 'object' && run ? run : undefined;
  const actor = of(call?.cell?.address) ?? of(this?.address);
  if (actor === undefined) return '';
  return JSON.stringify({ actor, seq: entry?.seq, effect: call?.effectId });
})()`;

interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}

let seen = -1;
let silentLooks = 0;
let told = false;

setInterval(look, lookMs);

function look(): void {
  const beats = Atomics.load(cells, BEATS);
  if (beats !== seen || Atomics.load(cells, DEBUGGED) === 1) {
    if (told) tell('info', {}, 'the event loop turns again');
    seen = beats;
    silentLooks = 0;
    told = false;
    return;
  }
  silentLooks++;
  const silentMs = silentLooks * lookMs;
  if (!told && silentMs >= limitMs / 2) {
    told = true;
    tellWhere(silentMs);
  }
  if (silentMs < limitMs) return;
  tell('error', { stuckMs: silentMs, limitMs }, 'the event loop is stuck; this process ends itself');
  process.kill(process.pid, 'SIGKILL');
}

/** Stops the loop for a moment to read its stack. Native code can't be stopped: then only that it is stuck is told. */
function tellWhere(stuckMs: number): void {
  tell('warn', { stuckMs, limitMs }, 'the event loop has not turned for long; a step or an effect does not return');
  const session = new Session();
  try {
    const files = new Map<string, string>();
    session.connectToMainThread();
    session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url));
    session.on('Debugger.paused', ({ params }) => void readStack(session, params.callFrames, files));
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  } catch {
    // Without an inspector there is no stack to read.
  }
}

async function readStack(
  session: Session,
  frames: readonly Frame[],
  files: ReadonlyMap<string, string>,
): Promise<void> {
  let where: object = {};
  for (const { callFrameId, location } of frames) {
    if (!files.get(location.scriptId)?.includes('/runtime/src/')) continue;
    const found = await evaluate(session, callFrameId);
    if (found === undefined) continue;
    where = found;
    break;
  }
  session.post('Debugger.disable', () => session.disconnect());
  const stack = frames.slice(0, FRAMES_MAX).map((frame) => lineOf(frame, files));
  tell('error', { ...where, stack: stack.join('\n') }, 'the event loop is stuck here');
}

function evaluate(session: Session, callFrameId: string): Promise<object | undefined> {
  return new Promise((resolve) => {
    const options = { callFrameId, expression: WHERE, silent: true, returnByValue: true };
    session.post('Debugger.evaluateOnCallFrame', options, (error, answer) => {
      const text = (answer as { readonly result?: { readonly value?: unknown } } | undefined)?.result?.value;
      resolve(error !== null || typeof text !== 'string' || text === '' ? undefined : (JSON.parse(text) as object));
    });
  });
}

function lineOf({ functionName, location }: Frame, files: ReadonlyMap<string, string>): string {
  return `    at ${functionName || '<anonymous>'} (${files.get(location.scriptId) ?? ''}:${location.lineNumber + 1})`;
}

function tell(level: string, more: object, msg: string): void {
  const line = { level, time: new Date().toISOString(), ...fields, pid: process.pid, ...more, msg };
  try {
    writeSync(STDERR, `${JSON.stringify(line)}\n`);
  } catch {
    // Nobody reads the log; that is no reason to let a stuck process live.
  }
}

/** Who a CPU profile's time belongs to: actor types, parts of machines, functions. Pure. */

/** As V8 writes it: `.cpuprofile`. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples?: readonly number[] | undefined;
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[] | undefined;
}

export interface CallFrame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A part of a machine, by where its function stands. */
export interface Part {
  readonly type: string;
  readonly name: string;
}

export interface TimeRow {
  readonly name: string;
  /** Time in itself, ms. */
  readonly selfMs: number;
  /** With what it calls, ms. */
  readonly totalMs: number;
  /** The actor type that most of its time was for; absent: none. */
  readonly type?: string;
}

export interface ProfileReport {
  readonly durationMs: number;
  /** What was neither idle nor outside of JavaScript, ms. */
  readonly busyMs: number;
  /** By actor type. `selfMs` is that in functions of its machine, `totalMs` all that was done for it. */
  readonly types: readonly TimeRow[];
  /** Actions, guards and invoked functions of machines. */
  readonly parts: readonly TimeRow[];
  /** Functions with most time in themselves, and with most time in all. */
  readonly bySelf: readonly TimeRow[];
  readonly byTotal: readonly TimeRow[];
}

/** A script of this name is a frame around the steps of one type. */
export const TYPE_FRAME = 'troupe:actor/';
export const ROWS_MAX = 20;

/** Key of a function's place. */
export function placeOf(frame: Pick<CallFrame, 'scriptId' | 'lineNumber' | 'columnNumber'>): string {
  return `${frame.scriptId}:${frame.lineNumber}:${frame.columnNumber}`;
}

class Times {
  readonly #rows = new Map<string, { selfMs: number; totalMs: number; types: Map<string, number> }>();

  add(name: string, ms: number, isSelf: boolean, type: string | undefined): void {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { selfMs: 0, totalMs: 0, types: new Map() };
      this.#rows.set(name, row);
    }
    row.totalMs += ms;
    if (isSelf) row.selfMs += ms;
    if (type !== undefined) row.types.set(type, (row.types.get(type) ?? 0) + ms);
  }

  top(by: 'selfMs' | 'totalMs'): TimeRow[] {
    const rows = [...this.#rows].sort(([, a], [, b]) => b[by] - a[by]).filter(([, row]) => row[by] > 0);
    return rows.slice(0, ROWS_MAX).map(([name, { selfMs, totalMs, types }]) => {
      const type = [...types].sort(([, a], [, b]) => b - a)[0]?.[0];
      return { name, selfMs, totalMs, ...(type === undefined ? {} : { type }) };
    });
  }
}

/** Time of each node itself, ms. */
export function selfTimes({ samples = [], timeDeltas = [] }: CpuProfile): ReadonlyMap<number, number> {
  const self = new Map<number, number>();
  for (const [at, id] of samples.entries()) {
    // The time until the next sample is this one's.
    const us = timeDeltas[at + 1] ?? 0;
    self.set(id, (self.get(id) ?? 0) + Math.max(0, us) / 1_000);
  }
  return self;
}

/** The name of a frame, as lists and pages show it. */
export function frameName({ functionName, url, lineNumber }: CallFrame): string {
  if (url.startsWith(TYPE_FRAME)) return `steps of ${url.slice(TYPE_FRAME.length)}`;
  const file = url === '' ? '' : ` ${url.split('/').slice(-2).join('/')}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${file}`;
}

const OUTSIDE = new Set(['(idle)', '(program)', '(root)']);

/** @param parts by `placeOf` of their functions */
export function analyseProfile(profile: CpuProfile, parts: ReadonlyMap<string, Part>): ProfileReport {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const self = selfTimes(profile);
  const [types, ofParts, functions] = [new Times(), new Times(), new Times()];
  let busyMs = 0;
  interface Visit {
    readonly id: number;
    readonly type: string | undefined;
    readonly frames: readonly string[];
    readonly partNames: readonly string[];
  }
  const children = new Set(profile.nodes.flatMap((node) => node.children ?? []));
  const todo: Visit[] = profile.nodes
    .filter(({ id }) => !children.has(id))
    .map(({ id }) => ({ id, type: undefined, frames: [], partNames: [] }));
  for (let visit = todo.pop(); visit !== undefined; visit = todo.pop()) {
    const node = nodes.get(visit.id)!;
    const { callFrame } = node;
    const part = parts.get(placeOf(callFrame));
    const framed = callFrame.url.startsWith(TYPE_FRAME) ? callFrame.url.slice(TYPE_FRAME.length) : undefined;
    const type = framed ?? visit.type ?? part?.type;
    const name = frameName(callFrame);
    const partName = part === undefined ? undefined : `${type} ${part.name}`;
    const frames = visit.frames.includes(name) ? visit.frames : [...visit.frames, name];
    const isNew = partName !== undefined && !visit.partNames.includes(partName);
    const partNames = isNew ? [...visit.partNames, partName] : visit.partNames;
    const ms = self.get(node.id) ?? 0;
    if (ms > 0 && !OUTSIDE.has(callFrame.functionName)) {
      busyMs += ms;
      for (const one of frames) functions.add(one, ms, one === name, type);
      for (const one of partNames) ofParts.add(one, ms, one === partName, type);
      if (type !== undefined) types.add(type, ms, part !== undefined, undefined);
    }
    for (const id of node.children ?? []) todo.push({ id, type, frames, partNames });
  }
  return {
    durationMs: (profile.endTime - profile.startTime) / 1_000,
    busyMs,
    types: types.top('totalMs'),
    parts: ofParts.top('totalMs'),
    bySelf: functions.top('selfMs'),
    byTotal: functions.top('totalMs'),
  };
}

/** What clients saw, as plain data: all that the checker of a storm is given. */

/** One task, as its caller knows it. */
export interface TaskRecord {
  readonly actor: string;
  readonly type: 'ledger' | 'courier' | 'once-courier';
  /** Unique per actor, ascending in the order of sending. */
  readonly task: number;
  readonly taskId: string;
  /** Since the start, ms. */
  readonly sentAtMs: number;
  endedAtMs?: number;
  /** It was accepted, or had an outcome. */
  acknowledged: boolean;
  /** Each outcome that was seen under this id, as text: asked for again it must be the same. */
  readonly outcomes: string[];
  /** The code of the last error, of those that aren't outcomes. */
  error?: string;
}

/** One call outside, as the world outside noted it. */
export interface Delivery {
  readonly name: string;
  readonly pid: string;
  readonly effectId: string;
}

export interface StormRecord {
  readonly tasks: readonly TaskRecord[];
  /** By ledger: the tasks in the order in which they took effect. */
  readonly states: Readonly<Record<string, readonly number[]>>;
  readonly deliveries: readonly Delivery[];
}

/** What a courier is told to deliver: tells the task in what is noted outside. */
export function deliveryName(type: string, actor: string, task: number): string {
  return `${type}/${actor}/${task}`;
}

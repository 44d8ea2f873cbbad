/** A state as people read it. */
import { printable, showDistance, showShort, showTime, showValue } from './format.ts';
import type { Style } from './style.ts';

/** What the owner's answer and the journal's fold have in common. */
export interface ShownState {
  readonly actor: string;
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly output?: unknown;
  readonly version: number;
  readonly seq: number;
  /** Unix ms of the last entry. */
  readonly at: number;
  readonly tags: readonly string[];
  readonly turn: { readonly taskId: string; readonly openedAt: number; readonly deadlineAt: number } | undefined;
  readonly waiting: number;
  readonly timers: readonly { readonly id: string; readonly what: string; readonly dueAt: number | undefined }[];
  readonly effects: readonly { readonly id: string; readonly what: string }[];
}

export function showState(state: ShownState, style: Style, now: number): string {
  const { turn } = state;
  const lines = [
    `${style('bold', printable(state.actor))}  ${state.status}  ${style('cyan', showShort(state.value))}`,
    style('dim', `version ${state.version}, entry ${state.seq} at ${showTime(state.at)}`),
  ];
  if (state.tags.length > 0) lines.push(`tags     ${printable(state.tags.join(', '))}`);
  if (turn !== undefined)
    lines.push(
      `turn     ${printable(turn.taskId)}, open since ${showTime(turn.openedAt)}, deadline ${showDistance(turn.deadlineAt - now)}`,
    );
  if (state.waiting > 0) lines.push(`waiting  ${state.waiting}`);
  for (const { id, what, dueAt } of state.timers)
    lines.push(`timer    ${id}  ${printable(what)}  ${dueAt === undefined ? '' : showDistance(dueAt - now)}`.trimEnd());
  for (const { id, what } of state.effects) lines.push(`running  ${printable(id)}  ${printable(what)}`);
  if (state.output !== undefined) lines.push(`output   ${showShort(state.output)}`);
  return [...lines, showValue(state.context)].join('\n');
}

/** One step of a replay, as it is shown. */
import { type ActorDefinition, describeState, type StateDescription } from '@troupe/core';
import { type Change, describeFailure, diffStates, type ReplayedStep } from '@troupe/inspect';
import { showLine, showShort } from '../output/format.ts';
import { showEntry } from '../output/show-entry.ts';
import type { Style } from '../output/style.ts';

export interface StepView {
  readonly seq: number;
  readonly at: number;
  readonly entry: unknown;
  readonly value: unknown;
  readonly changes: readonly Change[];
  readonly effects: readonly { readonly kind: string; readonly id: string }[];
  readonly failure?: ReplayedStep['failure'];
  /** Only where it was asked for. */
  readonly state?: StateDescription;
}

const CHANGES_SHOWN = 20;
const MARKS = { added: '+', removed: '-', changed: '~' } as const;
const INDENT = ' '.repeat(10);

export function viewStep(definition: ActorDefinition, step: ReplayedStep, whole: boolean): StepView {
  const { entry, before, after, effects, failure } = step;
  const state = describeState(definition, after);
  return {
    seq: entry.seq,
    at: entry.at,
    entry: entry.body,
    value: state.value,
    changes: diffStates(describeState(definition, before), state),
    effects: effects.map(({ kind, id }) => ({ kind, id })),
    ...(failure === undefined ? {} : { failure }),
    ...(whole ? { state } : {}),
  };
}

export function showStep({ entry, failure }: ReplayedStep, view: StepView, style: Style): string {
  const lines = [showEntry(entry, style)];
  for (const change of view.changes.slice(0, CHANGES_SHOWN)) lines.push(`${INDENT}${showChange(change)}`);
  if (view.changes.length > CHANGES_SHOWN) lines.push(`${INDENT}${view.changes.length - CHANGES_SHOWN} more changes`);
  if (view.effects.length > 0) lines.push(`${INDENT}${style('dim', view.effects.map(({ kind }) => kind).join(', '))}`);
  if (failure !== undefined) lines.push(`${INDENT}${style('red', showLine(describeFailure(failure), 400))}`);
  return lines.join('\n');
}

function showChange(change: Change): string {
  const { before, after } = change as { readonly before?: unknown; readonly after?: unknown };
  const path = change.path.join('.');
  const what =
    change.kind === 'changed'
      ? `${showShort(before, 60)} -> ${showShort(after, 60)}`
      : showShort(change.kind === 'added' ? after : before, 100);
  return `${MARKS[change.kind]} ${path}  ${what}`;
}

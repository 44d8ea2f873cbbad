/** A value as a tree that can be opened and closed; what changed is marked. Values are text nodes, whatever they say. */
import { useState } from 'preact/hooks';
import type { LiveChange } from '../../src/live-protocol.ts';
import { cut, short } from '../text.ts';

export interface ValueTreeProps {
  readonly label: string;
  readonly value: unknown;
  readonly changes: readonly LiveChange[];
}

type Path = readonly (string | number)[];

/** Members shown before "more" is asked for. */
const MEMBERS_SHOWN = 100;
const TEXT_SHOWN = 400;
/** Levels that are open at first. */
const OPEN_DEPTH = 2;

export function ValueTree({ label, value, changes }: ValueTreeProps) {
  const marks = new Map(changes.map((change) => [pathName(change.path), change]));
  const touched = new Set(changes.flatMap(({ path }) => path.map((_, at) => pathName(path.slice(0, at)))));
  return (
    <div class="tree" role="tree" aria-label={label} onKeyDown={onTreeKey}>
      <Branch name={label} value={value} path={[]} marks={marks} touched={touched} first />
    </div>
  );
}

interface BranchProps {
  readonly name: string;
  readonly value: unknown;
  readonly path: Path;
  readonly marks: ReadonlyMap<string, LiveChange>;
  readonly touched: ReadonlySet<string>;
  readonly first?: boolean;
}

function Branch({ name, value, path, marks, touched, first }: BranchProps) {
  const members = membersOf(value);
  const key = pathName(path);
  const change = marks.get(key);
  const hasChange = touched.has(key);
  const [open, setOpen] = useState<boolean | undefined>(undefined);
  const [shown, setShown] = useState(MEMBERS_SHOWN);
  const isOpen = open ?? (path.length < OPEN_DEPTH || hasChange);
  const expandable = members !== undefined && members.length > 0;
  const mark = change === undefined ? '' : `changed-${change.kind}`;
  const was = change?.kind === 'changed' ? ` was ${short(change.before)}` : '';
  return (
    <div
      role="treeitem"
      class={`branch ${mark}`}
      tabIndex={first ? 0 : -1}
      aria-expanded={expandable ? isOpen : undefined}
      data-path={key}
    >
      <span class="branch-line">
        {expandable ? (
          <button type="button" class="twist" tabIndex={-1} aria-hidden="true" onClick={() => setOpen(!isOpen)}>
            {isOpen ? '▾' : '▸'}
          </button>
        ) : (
          <span class="twist" />
        )}
        <span class="branch-name">{cut(name, 80)}</span>
        <span class={`branch-value ${typeOf(value)}`}>{summary(value, members, isOpen)}</span>
        {change !== undefined && <span class="branch-change">{`${change.kind}${was}`}</span>}
      </span>
      {expandable && isOpen && (
        <div role="group" class="branch-members">
          {members.slice(0, shown).map(([member, inner]) => (
            <Branch
              key={member}
              name={String(member)}
              value={inner}
              path={[...path, member]}
              marks={marks}
              touched={touched}
            />
          ))}
          {members.length > shown && (
            <button type="button" class="more" onClick={() => setShown(shown + 10 * MEMBERS_SHOWN)}>
              {`${members.length - shown} more`}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function membersOf(value: unknown): (readonly [string | number, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value === 'object' && value !== null) return Object.entries(value);
  return undefined;
}

function summary(value: unknown, members: readonly unknown[] | undefined, open: boolean): string {
  if (members === undefined) return typeof value === 'string' ? JSON.stringify(cut(value, TEXT_SHOWN)) : String(value);
  if (members.length === 0) return Array.isArray(value) ? '[]' : '{}';
  if (open) return Array.isArray(value) ? `${members.length} items` : '';
  return short(value, 60);
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function pathName(path: Path): string {
  return JSON.stringify(path);
}

/** As trees of other programs: up and down between lines, right opens, left closes or goes up. */
function onTreeKey(event: KeyboardEvent): void {
  const tree = event.currentTarget as HTMLElement;
  const items = [...tree.querySelectorAll<HTMLElement>('[role=treeitem]')];
  const item = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
  if (item === null) return;
  const at = items.indexOf(item);
  const expanded = item.getAttribute('aria-expanded');
  const twist = item.querySelector<HTMLButtonElement>(':scope > .branch-line > button.twist');
  const moves: Readonly<Record<string, () => void>> = {
    ArrowDown: () => items[at + 1]?.focus(),
    ArrowUp: () => items[at - 1]?.focus(),
    Home: () => items[0]?.focus(),
    End: () => items.at(-1)?.focus(),
    ArrowRight: () => (expanded === 'false' ? twist?.click() : items[at + 1]?.focus()),
    ArrowLeft: () =>
      expanded === 'true' ? twist?.click() : item.parentElement?.closest<HTMLElement>('[role=treeitem]')?.focus(),
    Enter: () => twist?.click(),
  };
  const move = moves[event.key];
  if (move === undefined) return;
  event.preventDefault();
  move();
}

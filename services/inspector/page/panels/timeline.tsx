/** Every entry of the journal that is kept, what it asked for and what that led to. Newest first. */
import { useMemo } from 'preact/hooks';
import type { LiveStep } from '../../src/live-protocol.ts';
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { isLasting, rowsOf, type TimelineRow } from '../model/timeline-rows.ts';
import { VirtualList } from '../parts/virtual-list.tsx';
import { duration, eventLabel, instant, short, stateText } from '../text.ts';
import type { ActorPanel } from './panel.ts';

const ROW_HEIGHT = 28;
/** Full width of a duration's bar, ms; longer ones fill it. Logarithmic. */
const BAR_MS_MAX = 60_000;

export const timelinePanel: ActorPanel = { id: 'timeline', title: 'Timeline', view: TimelinePanel };

/** Newest first; kept between renders, so that a new step costs what it adds. */
class Rows {
  #rows: TimelineRow[] = [];
  #steps: readonly LiveStep[] = [];
  #count = 0;
  #gap = 0;

  of(model: ActorModel): readonly TimelineRow[] {
    const { steps, headCount } = model;
    if (steps !== this.#steps || headCount !== this.#gap) {
      this.#rows = [];
      this.#count = 0;
    }
    this.#steps = steps;
    this.#gap = headCount;
    for (; this.#count < steps.length; this.#count++) {
      if (this.#count === headCount && !model.complete) this.#rows.push({ kind: 'gap' });
      // Read from the end: a step stands above what it led to.
      this.#rows.push(...rowsOf(steps[this.#count]!).reverse());
    }
    return this.#rows;
  }
}

function TimelinePanel({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const kept = useMemo(() => new Rows(), [model]);
  const rows = kept.of(model);
  const { shown, momentSeq, steps } = model;
  const at = (index: number): TimelineRow => rows[rows.length - 1 - index]!;
  const shownIndex = useMemo(
    () => (shown === undefined ? -1 : findRow(rows, shown.seq)),
    [momentSeq === undefined ? undefined : shown, rows.length],
  );
  return (
    <section class="panel timeline-panel" aria-label="Timeline">
      <div class="toolbar">
        <output class="now">
          {`${steps.length} entries, ${rows.length} rows${model.complete ? '' : ', loading older ones …'}`}
        </output>
        {model.problem !== undefined && <span class="problem">{model.problem}</span>}
      </div>
      <div class="row head" aria-hidden="true">
        <span class="c-time">time</span>
        <span class="c-seq">seq</span>
        <span class="c-kind">kind</span>
        <span class="c-what">what</span>
        <span class="c-state">state</span>
        <span class="c-dur">took</span>
      </div>
      {rows.length === 0 && <p class="empty">{model.problem ?? 'Nothing yet.'}</p>}
      <VirtualList
        id="timeline"
        label="Entries, effects and outcomes, newest first"
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        selected={shownIndex}
        scrollTo={momentSeq === undefined ? undefined : shownIndex}
        rowClass={(index) => classOf(at(index), shown?.seq)}
        stamp={(index) => stampOf(model, at(index))}
        row={(index) => <Row model={model} row={at(index)} />}
        onSelect={(index) => {
          const row = at(index);
          if (row.kind !== 'gap') model.goTo(row.step.seq);
        }}
      />
    </section>
  );
}

/** Index in the list (newest first) of the row of a step: the last of its rows in the order of time. */
function findRow(rows: readonly TimelineRow[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle]!;
    // The hole lies between two steps; whichever side it is counted to, the search goes on.
    const rowSeq = row.kind === 'gap' ? seqBefore(rows, middle) : row.step.seq;
    if (rowSeq <= seq) low = middle + 1;
    else high = middle;
  }
  return rows.length - low;
}

function seqBefore(rows: readonly TimelineRow[], index: number): number {
  const before = rows[index - 1];
  return before === undefined || before.kind === 'gap' ? 0 : before.step.seq;
}

/** Steps never change; what becomes of their effects does. */
function stampOf(model: ActorModel, row: TimelineRow): readonly unknown[] {
  if (row.kind === 'gap') return [];
  if (row.kind === 'step') return [row.step];
  const fate = row.kind === 'effect' ? model.fates.of(row.step.effects[row.index]!.id) : undefined;
  return [row.step, row.kind, row.index, fate];
}

function classOf(row: TimelineRow, shownSeq: number | undefined): string {
  if (row.kind === 'gap') return 'gap';
  const failed =
    (row.kind === 'step' && row.step.error !== undefined) ||
    (row.kind === 'ended' && row.step.ended[row.index]?.ok === false);
  return `${row.kind} ${row.step.seq === shownSeq ? 'shown' : ''} ${failed ? 'failed' : ''}`;
}

function Row({ model, row }: { readonly model: ActorModel; readonly row: TimelineRow }) {
  switch (row.kind) {
    case 'gap':
      return <span class="c-what">… older entries are loading …</span>;
    case 'step':
      return <StepCells step={row.step} />;
    case 'effect':
      return <EffectCells model={model} step={row.step} index={row.index} />;
    case 'ended':
      return <EndedCells step={row.step} index={row.index} />;
  }
}

function StepCells({ step }: { readonly step: LiveStep }) {
  const { entry, error, before, after } = step;
  const [was, is] = [stateText(before.value), stateText(after.value)];
  const what = entry.event === undefined ? (entry.taskId ?? '') : eventLabel(entry.event.type);
  const detail = entry.event === undefined ? '' : short(withoutType(entry.event), 60);
  const from = entry.from === undefined ? '' : ` from ${entry.from}`;
  return (
    <>
      <span class="c-time">{instant(step.at)}</span>
      <span class="c-seq">{step.seq}</span>
      <span class={`c-kind kind-${entry.kind}`}>{entry.kind}</span>
      <span class="c-what">
        <b>{what}</b>
        {` ${detail}${from}`}
        {error !== undefined && <em class="error">{` ${error.code}: ${error.message}`}</em>}
      </span>
      <span class="c-state">{was === is ? is : `${was} → ${is}`}</span>
      <span class="c-dur">{step.stepUs === undefined ? '' : `${Math.round(step.stepUs)} µs`}</span>
    </>
  );
}

interface EffectCellsProps {
  readonly model: ActorModel;
  readonly step: LiveStep;
  readonly index: number;
}

function EffectCells({ model, step, index }: EffectCellsProps) {
  const effect = step.effects[index]!;
  const lasting = isLasting(effect.kind);
  const fate = model.fates.of(effect.id);
  const to = effect.to === undefined ? '' : ` to ${effect.to}`;
  const ended = fate?.ok === undefined ? (lasting ? 'running' : '') : fate.ok ? 'ok' : 'failed';
  const attempts = fate !== undefined && fate.attempt > 1 ? `, attempt ${fate.attempt}` : '';
  return (
    <>
      <span class="c-time" />
      <span class="c-seq">{effect.id}</span>
      <span class="c-kind kind-effect">{effect.kind}</span>
      <span class="c-what">
        {`${effect.src ?? effect.name ?? effect.kind}${to}`}
        {fate?.error !== undefined && <em class="error">{` ${fate.error}`}</em>}
      </span>
      <span class={`c-state ${fate?.ok === false ? 'error' : ''}`}>{`${ended}${attempts}`}</span>
      <span class="c-dur">{lasting && <Bar ms={fate?.durationMs} />}</span>
    </>
  );
}

function EndedCells({ step, index }: { readonly step: LiveStep; readonly index: number }) {
  const ended = step.ended[index]!;
  return (
    <>
      <span class="c-time" />
      <span class="c-seq">{ended.seq}</span>
      <span class="c-kind kind-ended">turn ended</span>
      <span class="c-what">{`task ${ended.taskId}`}</span>
      <span class={`c-state ${ended.ok ? '' : 'error'}`}>{ended.ok ? 'ok' : (ended.code ?? 'failed')}</span>
      <span class="c-dur">
        <Bar ms={ended.durationMs} />
      </span>
    </>
  );
}

function Bar({ ms }: { readonly ms: number | undefined }) {
  if (ms === undefined) return <span class="bar-text">…</span>;
  const share = Math.min(1, Math.log1p(ms) / Math.log1p(BAR_MS_MAX));
  return (
    <>
      <span class="bar" style={{ width: `${Math.round(share * 44)}px` }} />
      <span class="bar-text">{duration(ms)}</span>
    </>
  );
}

function withoutType({ type: _type, ...rest }: { readonly type: string; readonly [field: string]: unknown }): unknown {
  return Object.keys(rest).length === 0 ? undefined : rest;
}

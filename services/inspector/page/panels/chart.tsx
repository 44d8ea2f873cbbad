/** The machine as a chart: active states and the last transition lit up, counts and times on everything, costs below. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ChartView } from '../chart/chart-view.tsx';
import { chartOf } from '../chart/elk.ts';
import { activeBoxes, takenEdges, type Usage } from '../model/activity.ts';
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { computing, duration, eventLabel, stateText } from '../text.ts';
import type { ActorPanel } from './panel.ts';

const ZOOM_MIN = 0.2;
const ZOOM_MAX = 2.5;

export const chartPanel: ActorPanel = { id: 'chart', title: 'Chart', view: ChartPanel };

function ChartPanel({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const { structure, shown } = model;
  const frame = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState<number | undefined>(undefined);
  const layout = useAnswer(() => structure && chartOf(structure, structure.hash), [structure?.hash]);
  const natural = layout.value?.width ?? 0;
  const [fit, setFit] = useState(1);
  useEffect(() => {
    const element = frame.current;
    if (element === null || natural === 0) return;
    const observer = new ResizeObserver(() => setFit(clamp((element.clientWidth - 24) / natural, 0.5, 1)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [natural]);
  // At first what is active comes into sight; from then on the reader scrolls.
  const drawn = layout.value !== undefined && shown !== undefined;
  useEffect(() => {
    const innermost = [...(frame.current?.querySelectorAll('.state.active') ?? [])].at(-1);
    innermost?.scrollIntoView({ block: 'center', inline: 'center' });
  }, [drawn]);
  const scale = zoom ?? fit;
  const active = new Set(shown === undefined ? [] : activeBoxes(model.machines, shown.after));
  const taken = new Set(shown === undefined ? [] : takenEdges(shown));
  return (
    <section class="panel chart-panel" aria-label="Chart">
      <div class="toolbar">
        <output class="now">{shown === undefined ? 'no step yet' : describe(model)}</output>
        <span class="grow" />
        <span class="zoom">
          <button type="button" aria-label="Zoom out" onClick={() => setZoom(clamp(scale / 1.25, ZOOM_MIN, ZOOM_MAX))}>
            −
          </button>
          <button type="button" onClick={() => setZoom(undefined)} aria-label="Fit the chart to the width">
            {`${Math.round(scale * 100)} %`}
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => setZoom(clamp(scale * 1.25, ZOOM_MIN, ZOOM_MAX))}>
            +
          </button>
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="chart-frame" ref={frame} tabIndex={0} role="region" aria-label="Chart, scrollable">
        {layout.value !== undefined && (
          <ChartView
            label={`Machine ${structure?.id ?? ''}`}
            layout={layout.value}
            active={active}
            taken={taken}
            activity={model.activity}
            seq={shown?.seq ?? 0}
            zoom={scale}
          />
        )}
        {layout.value === undefined && <p class="empty">{layout.error ?? model.problem ?? 'Drawing …'}</p>}
      </div>
      <Counts model={model} />
    </section>
  );
}

function describe({ shown }: ActorModel): string {
  if (shown === undefined) return '';
  const last = shown.transitions.map(({ event }) => eventLabel(event)).join(', ');
  return `${stateText(shown.after.value)}${last === '' ? '' : ` after ${last}`}`;
}

/** The numbers of the chart as a table, for those who can't see it, and to compare. */
function Counts({ model }: { readonly model: ActorModel }) {
  const { states, transitions } = model.activity;
  return (
    <details class="counts">
      <summary>Counts, times and costs</summary>
      <UsageTable caption="States" first="state" counted="entered" rows={states} />
      <UsageTable caption="Transitions" first="transition" counted="taken" rows={transitions} />
      <p class="muted">
        A state has the cost of all that was applied while it was active. Computing is known of steps that this page saw
        live: the journal doesn't keep it.
      </p>
    </details>
  );
}

interface UsageTableProps {
  readonly caption: 'States' | 'Transitions';
  readonly first: string;
  readonly counted: string;
  readonly rows: ReadonlyMap<string, Usage>;
}

function UsageTable({ caption, first, counted, rows }: UsageTableProps) {
  const timed = caption === 'States';
  return (
    <div class="scroll-x">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {[first, counted, ...(timed ? ['time in it'] : []), 'entries', 'computing', 'effects', 'effects ran'].map(
              (head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {[...rows].map(([id, usage]) => (
            <tr key={id}>
              <th scope="row">{id.replaceAll('|', ' | ')}</th>
              <td>{usage.count}</td>
              {timed && <td>{duration(usage.timeMs)}</td>}
              <td>{usage.steps}</td>
              <td>{computing(usage)}</td>
              <td>{usage.effects}</td>
              <td>{usage.effectMs === 0 ? '' : duration(usage.effectMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

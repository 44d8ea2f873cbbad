/** A statechart as SVG: boxes, arrows and labels where the layout put them, lit up by what is active. */
import { useMemo } from 'preact/hooks';
import type { Activity, Usage } from '../model/activity.ts';
import { computing, duration } from '../text.ts';
import { SIZES } from './graph.ts';
import type { ChartLayout, PlacedBox, PlacedEdge, Point } from './layout.ts';

export interface ChartViewProps {
  readonly label: string;
  readonly layout: ChartLayout;
  readonly active: ReadonlySet<string>;
  readonly taken: ReadonlySet<string>;
  readonly activity: Activity;
  /** Of the step shown; for those who watch the page from outside. */
  readonly seq: number;
  /** Times its natural size. */
  readonly zoom: number;
}

export function ChartView({ label, layout, active, taken, activity, seq, zoom }: ChartViewProps) {
  const { width, height, boxes, edges } = layout;
  return (
    <svg
      class="chart"
      role="group"
      aria-label={label}
      data-seq={seq}
      width={width * zoom}
      height={height * zoom}
      viewBox={`0 0 ${width} ${height}`}
    >
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.5 L7.5 4 L0 7.5 z" />
        </marker>
        <marker
          id="arrow-taken"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="12"
          markerHeight="12"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path class="taken" d="M0 0.5 L7.5 4 L0 7.5 z" />
        </marker>
      </defs>
      {boxes.map((one) => (
        <Box
          key={one.box.id}
          placed={one}
          isActive={active.has(one.box.id)}
          usage={activity.states.get(one.box.id)}
          taken={taken}
        />
      ))}
      {edges.map((one) => (
        <Edge key={one.edge.id} placed={one} isTaken={isTaken(one, taken)} usage={usageOf(one, activity)} />
      ))}
      {edges.map((one) => (
        <Label key={one.edge.id} placed={one} isTaken={isTaken(one, taken)} usage={usageOf(one, activity)} />
      ))}
    </svg>
  );
}

function isTaken({ edge }: PlacedEdge, taken: ReadonlySet<string>): boolean {
  return edge.transitionId !== undefined && taken.has(edge.transitionId);
}

function usageOf({ edge }: PlacedEdge, activity: Activity): Usage | undefined {
  return edge.transitionId === undefined ? undefined : activity.transitions.get(edge.transitionId);
}

interface BoxProps {
  readonly placed: PlacedBox;
  readonly isActive: boolean;
  readonly usage: Usage | undefined;
  readonly taken: ReadonlySet<string>;
}

function Box({ placed, isActive, usage, taken }: BoxProps) {
  const { box, x, y, width, height, depth } = placed;
  if (box.kind === 'initial' || box.kind === 'entry' || box.kind === 'history') return <Dot placed={placed} />;
  const kind = box.children.length > 0 && box.kind === 'atomic' ? 'compound' : box.kind;
  const stats = usage === undefined ? '' : `×${usage.count}  ${duration(usage.timeMs)}`;
  const text = `${box.title}, ${kind} state${isActive ? ', active' : ''}${stats === '' ? '' : `, entered ${usage!.count} times, ${duration(usage!.timeMs)}`}`;
  const cost = usage === undefined ? '' : costText(usage);
  const base = y + SIZES.padding + SIZES.title + SIZES.stats;
  const insideTaken = box.inside.some((id) => taken.has(id));
  return (
    <g
      class={`state ${kind} ${box.region ? 'region' : ''} ${isActive ? 'active' : ''} ${insideTaken ? 'stayed' : ''} depth-${depth % 2}`}
      role="img"
      aria-label={text}
      data-box={box.id}
      data-active={isActive}
    >
      <title>
        {[box.state?.description, text, cost].filter((line) => line !== undefined && line !== '').join('\n')}
      </title>
      <rect x={x} y={y} width={width} height={height} rx="8" />
      {box.kind === 'final' && <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx="6" />}
      <text class="title" x={x + SIZES.gap} y={y + SIZES.padding + 13}>
        {box.title}
      </text>
      <text class="stats" x={x + SIZES.gap} y={y + SIZES.padding + SIZES.title + 6}>
        {stats}
      </text>
      {box.lines.map((line, index) => (
        <text key={line} class="line" x={x + SIZES.gap} y={base + 11 + index * SIZES.line}>
          {line}
        </text>
      ))}
    </g>
  );
}

/** What hovering adds. */
function costText(usage: Usage): string {
  const computed = computing(usage);
  return [
    `${usage.steps} entries applied${computed === '' ? '' : `, computing ${computed}`}`,
    usage.effects === 0 ? '' : `${usage.effects} effects${usage.effectMs === 0 ? '' : `, ${duration(usage.effectMs)}`}`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

function Dot({ placed }: { readonly placed: PlacedBox }) {
  const { box, x, y, width, height } = placed;
  const [cx, cy, r] = [x + width / 2, y + height / 2, Math.min(width, height) / 2];
  if (box.kind !== 'history') {
    return <circle class={`dot ${box.kind}`} cx={cx} cy={cy} r={r - 2} data-box={box.id} aria-hidden="true" />;
  }
  return (
    <g class="history" role="img" aria-label={`${box.title}, ${box.deep ? 'deep ' : ''}history`} data-box={box.id}>
      <title>{box.title}</title>
      <circle cx={cx} cy={cy} r={r - 1} />
      <text x={cx} y={cy + 4} text-anchor="middle">
        {box.deep ? 'H*' : 'H'}
      </text>
    </g>
  );
}

interface EdgeProps {
  readonly placed: PlacedEdge;
  readonly isTaken: boolean;
  readonly usage: Usage | undefined;
}

function Edge({ placed, isTaken: lit }: EdgeProps) {
  const path = useMemo(() => placed.lines.map(rounded).join(' '), [placed]);
  if (path === '') return null;
  return (
    <path
      class={`edge ${lit ? 'taken' : ''}`}
      d={path}
      marker-end={`url(#${lit ? 'arrow-taken' : 'arrow'})`}
      data-edge={placed.edge.id}
      aria-hidden="true"
    />
  );
}

function Label({ placed, isTaken: lit, usage }: EdgeProps) {
  const { edge, label } = placed;
  if (label === undefined) return null;
  const count = usage === undefined ? '' : `×${usage.count}`;
  const times = usage === undefined ? '' : `, taken ${usage.count} times`;
  return (
    <g
      class={`label ${lit ? 'taken' : ''}`}
      role="img"
      aria-label={`${edge.lines.join(' ')}: ${edge.source} to ${edge.target}${times}${lit ? ', just taken' : ''}`}
      data-label={edge.id}
    >
      <rect x={label.x} y={label.y} width={label.width} height={label.height} rx="5" />
      {edge.lines.map((line, index) => (
        <text key={line} x={label.x + 5} y={label.y + 14 + index * SIZES.line}>
          {line}
        </text>
      ))}
      <text class="count" x={label.x + label.width - 4} y={label.y + 14} text-anchor="end">
        {count}
      </text>
    </g>
  );
}

/** A line with its corners rounded. */
function rounded(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${first.x} ${first.y}`];
  for (const [index, point] of rest.entries()) {
    const next = rest[index + 1];
    if (next === undefined) {
      parts.push(`L${point.x} ${point.y}`);
      continue;
    }
    const before = rest[index - 1] ?? first;
    const [a, b] = [towards(point, before), towards(point, next)];
    parts.push(`L${a.x} ${a.y}`, `Q${point.x} ${point.y} ${b.x} ${b.y}`);
  }
  return parts.join(' ');
}

function towards(from: Point, to: Point): Point {
  const distance = Math.hypot(to.x - from.x, to.y - from.y);
  const share = distance === 0 ? 0 : Math.min(6, distance / 2) / distance;
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

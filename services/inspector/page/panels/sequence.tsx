/** Who told whom what: everything between actors that one cause led to. */
import type { LiveMessage, LiveSequence } from '../../src/live-protocol.ts';
import { useApp } from '../app-context.ts';
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { cut, eventLabel, instant } from '../text.ts';
import type { ActorPanel } from './panel.ts';

const LANE = 190;
const LINE = 38;
const TOP = 54;
const TIME = 92;
const MESSAGES_SHOWN = 500;

export const sequencePanel: ActorPanel = { id: 'sequence', title: 'Sequence', view: SequencePanel };

function SequencePanel({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const { socket, route } = useApp();
  const { actor, shown } = model;
  const seq = shown?.seq;
  const answer = useAnswer(
    () => (seq === undefined ? undefined : socket.ask('correlate', { actor, seq })),
    [actor, shown?.correlation, shown?.entry.kind === 'task' ? 0 : seq],
  );
  const { value, error } = answer;
  return (
    <section class="panel sequence-panel" aria-label="Sequence">
      <div class="toolbar">
        <output class="now">
          {value === undefined
            ? 'what led to this step, and what it led to'
            : `correlation ${value.correlation}: ${value.messages.length} messages between ${value.lanes.length} actors${value.truncated ? ', more were left out' : ''}`}
        </output>
      </div>
      {error !== undefined && <p class="problem">{error}</p>}
      {value !== undefined && value.messages.length === 0 && <p class="empty">No messages between actors here.</p>}
      {value !== undefined && value.messages.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <div class="sequence-frame" tabIndex={0} role="region" aria-label="Sequence diagram, scrollable">
          <Diagram
            sequence={value}
            shownSeq={seq}
            onOpen={(to, at) => route.go({ actor: to, panel: 'sequence', seq: at })}
          />
        </div>
      )}
    </section>
  );
}

interface DiagramProps {
  readonly sequence: LiveSequence;
  readonly shownSeq: number | undefined;
  readonly onOpen: (actor: string, seq: number | undefined) => void;
}

function Diagram({ sequence, shownSeq, onOpen }: DiagramProps) {
  const { lanes } = sequence;
  const messages = sequence.messages.slice(0, MESSAGES_SHOWN);
  const width = TIME + lanes.length * LANE;
  const height = TOP + messages.length * LINE + 20;
  const x = (actor: string): number => TIME + lanes.indexOf(actor) * LANE + LANE / 2;
  return (
    <svg
      class="sequence"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="group"
      aria-label="Sequence"
    >
      <defs>
        <marker
          id="seq-arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="10"
          markerHeight="10"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.5 L7.5 4 L0 7.5 z" />
        </marker>
      </defs>
      {lanes.map((actor) => (
        <g
          key={actor}
          class="lane"
          {...(isActor(actor) ? linkTo(`Open ${actor}`, () => onOpen(actor, undefined)) : {})}
        >
          <title>{actor}</title>
          <rect x={x(actor) - LANE / 2 + 8} y={8} width={LANE - 16} height={26} rx="6" />
          <text x={x(actor)} y={25} text-anchor="middle">
            {cut(actor, 26)}
          </text>
          <line x1={x(actor)} x2={x(actor)} y1={34} y2={height} />
        </g>
      ))}
      {messages.map((message, index) => (
        <Message
          key={`${message.to}@${message.seq}:${message.kind}`}
          message={message}
          y={TOP + index * LINE + 18}
          from={lanes.includes(message.from) ? x(message.from) : TIME - 10}
          to={x(message.to)}
          shown={message.seq === shownSeq}
          onOpen={onOpen}
        />
      ))}
    </svg>
  );
}

interface MessageProps {
  readonly message: LiveMessage;
  readonly y: number;
  readonly from: number;
  readonly to: number;
  readonly shown: boolean;
  readonly onOpen: DiagramProps['onOpen'];
}

function Message({ message, y, from, to, shown, onOpen }: MessageProps) {
  const { kind, label, seq, at, ok } = message;
  const back = kind === 'reply' || kind === 'outcome';
  const self = from === to;
  const path = self ? `M${from} ${y} h26 v12 h-22` : `M${from} ${y} H${to + (to > from ? -2 : 2)}`;
  const middle = self ? from + 32 : (from + to) / 2;
  const text = `${eventLabel(label)}${ok === false ? ' failed' : ''}`;
  // What goes to a client stands in the sender's journal.
  const open = () => onOpen(isActor(message.to) ? message.to : message.from, seq);
  return (
    <g
      class={`message ${back ? 'back' : ''} ${ok === false ? 'failed' : ''} ${shown ? 'shown' : ''}`}
      {...linkTo(`${instant(at)} ${kind} ${text}, from ${message.from} to ${message.to}`, open)}
    >
      <title>{`${kind} ${label} (entry ${seq})`}</title>
      <text class="time" x={4} y={y + 4}>
        {instant(at).slice(-12)}
      </text>
      <path d={path} marker-end="url(#seq-arrow)" />
      <text x={middle} y={y - 5} text-anchor={self ? 'start' : 'middle'}>
        {cut(text, 28)}
      </text>
    </g>
  );
}

/** A client is a lane too, and nothing to look into. */
function isActor(lane: string): boolean {
  return lane.includes('/');
}

/** A part of a drawing that opens something. In SVG `tabindex` is spelt in lower case, or nothing takes the focus. */
function linkTo(label: string, open: () => void) {
  return {
    role: 'link' as const,
    tabindex: 0,
    'aria-label': label,
    onClick: open,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === 'Enter') open();
    },
  };
}

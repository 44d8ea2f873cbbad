/** What waits and runs, and a form to send something. */
import { useState } from 'preact/hooks';
import type { LiveStashed } from '../../src/live-protocol.ts';
import { useApp } from '../app-context.ts';
import { allowedEvents } from '../model/activity.ts';
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { ValueTree } from '../parts/value-tree.tsx';
import { instant, short } from '../text.ts';
import type { ActorPanel } from './panel.ts';

const SHOWN_MAX = 200;

export const mailboxPanel: ActorPanel = { id: 'mailbox', title: 'Mailbox', view: MailboxPanel };

/** As much of a state as is shown here. */
interface Described {
  readonly turn?: {
    readonly seq: number;
    readonly taskId: string;
    readonly openedAt: number;
    readonly deadlineAt: number;
  };
  readonly stash?: { readonly depth: number; readonly bytes: number };
  readonly timers?: readonly { readonly id: string; readonly dueAt: number; readonly event?: string }[];
  readonly effects?: readonly {
    readonly id: string;
    readonly kind: string;
    readonly src: string;
    readonly openedAt: number;
  }[];
}

function MailboxPanel({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const { shown } = model;
  const answer = useAnswer(() => (shown === undefined ? undefined : model.full(shown.seq)), [shown?.seq]);
  const state = (answer.value?.state ?? {}) as Described;
  const { turn, stash, timers = [], effects = [] } = state;
  const waiting = answer.value?.stash ?? [];
  const now = shown?.at ?? Date.now();
  return (
    <section class="panel mailbox-panel" aria-label="Mailbox">
      {answer.error !== undefined && <p class="problem">{answer.error}</p>}
      <div class="cards">
        <Card title="Open turn" empty="none">
          {turn !== undefined && [
            `task ${turn.taskId}, open since ${instant(turn.openedAt)}, ends at ${instant(turn.deadlineAt)} at the latest`,
          ]}
        </Card>
        <Stash stash={waiting} depth={stash?.depth ?? 0} bytes={stash?.bytes ?? 0} now={now} />
        <Card title={`Running effects (${effects.length})`} empty="none">
          {effects
            .slice(0, SHOWN_MAX)
            .map(({ id, kind, src, openedAt }) => `${kind} ${src}, ${id}, since ${instant(openedAt, now)}`)}
        </Card>
        <Card title={`Timers (${timers.length})`} empty="none">
          {timers.slice(0, SHOWN_MAX).map(({ id, dueAt, event }) => `${event ?? id} at ${instant(dueAt)}`)}
        </Card>
        <SendForm model={model} />
      </div>
    </section>
  );
}

interface StashProps {
  readonly stash: readonly LiveStashed[];
  readonly depth: number;
  readonly bytes: number;
  readonly now: number;
}

/** What waits as the state stores it, in the order in which it is tried. */
function Stash({ stash, depth, bytes, now }: StashProps) {
  return (
    <section class="card stash">
      <h3>{`Waiting inputs (${depth}, ${bytes} bytes)`}</h3>
      {stash.length === 0 && <p class="muted">none</p>}
      <ol>
        {stash.map((one) => (
          <li key={one.seq}>
            <details>
              <summary>{`${one.seq} ${one.kind} ${short(one.event, 60)}, since ${instant(one.at, now)}`}</summary>
              <p class="muted">
                {`task ${one.taskId}, ${one.bytes} bytes, ends at ${instant(one.deadlineAt)} at the latest`}
                {one.cut ? '; too large to be shown whole' : ''}
              </p>
              <ValueTree label="event" value={one.event} changes={[]} />
            </details>
          </li>
        ))}
      </ol>
      {depth > stash.length && stash.length > 0 && <p class="muted">{`and ${depth - stash.length} more`}</p>}
    </section>
  );
}

interface CardProps {
  readonly title: string;
  readonly empty: string;
  readonly children: readonly string[] | false;
}

function Card({ title, empty, children }: CardProps) {
  return (
    <section class="card">
      <h3>{title}</h3>
      {children === false || children.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <ul>
          {children.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

const TASK = '(task)';

/** What is typed is JSON when it reads as JSON, else text; an event's other fields are JSON. */
function SendForm({ model }: { readonly model: ActorModel }) {
  const { socket, session } = useApp();
  useStore(session);
  const { structure, steps, actor } = model;
  const newest = steps.at(-1);
  const events =
    structure === undefined || newest === undefined ? [] : allowedEvents(structure.root, newest.after.value);
  const [event, setEvent] = useState(TASK);
  const [as, setAs] = useState<'task' | 'signal'>('task');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const submit = async (submitted: Event): Promise<void> => {
    submitted.preventDefault();
    setProblem('');
    try {
      const input = inputOf(event, text);
      const sent = await socket.ask('send', { actor, kind: event === TASK ? 'task' : as, input });
      session.say(`Sent to ${actor}: accepted as entry ${sent.seq}.`);
      model.goTo(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <form class="card send" aria-label={`Send to ${actor}`} onSubmit={submit}>
      <h3>Send</h3>
      <label>
        {'What '}
        <select value={event} onChange={(changed) => setEvent(changed.currentTarget.value)}>
          <option value={TASK}>a task (any input)</option>
          {events
            .filter((type) => type !== 'task')
            .map((type) => (
              <option key={type} value={type}>
                {type}
              </option>
            ))}
        </select>
      </label>
      {event !== TASK && (
        <label>
          {'as '}
          <select value={as} onChange={(changed) => setAs(changed.currentTarget.value as 'task' | 'signal')}>
            <option value="task">a task: opens a turn, has an outcome</option>
            <option value="signal">a signal: applied at once</option>
          </select>
        </label>
      )}
      <label>
        {event === TASK ? 'Input, JSON or text' : 'Other fields of the event, as a JSON object'}
        <textarea
          rows={3}
          value={text}
          placeholder={event === TASK ? 'My name is John' : '{ }'}
          onInput={(changed) => setText(changed.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={!session.mayOperate}>
        Send
      </button>
      {!session.mayOperate && <p class="muted">Sending needs the role operate; you may only read.</p>}
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

/** @throws Error saying what is wrong with the text. */
function inputOf(event: string, text: string): unknown {
  if (event === TASK) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  }
  if (text.trim() === '') return { type: event };
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new Error('The fields are not JSON. Write them as { "name": "John" }.');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new Error('The fields must be a JSON object such as { "name": "John" }.');
  return { ...fields, type: event };
}

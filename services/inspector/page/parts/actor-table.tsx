/** The live list of actors: search, filter, order, and open one. */
import type { ActorRow } from '../../src/live-protocol.ts';
import { useApp } from '../app-context.ts';
import type { Column } from '../model/actor-list.ts';
import { useStore } from '../model/store.ts';
import { age, cut, duration, stateText } from '../text.ts';
import { VirtualList } from './virtual-list.tsx';

const ROW_HEIGHT = 30;

const COLUMNS: readonly { readonly id: Column; readonly title: string; readonly meaning: string }[] = [
  { id: 'actor', title: 'actor', meaning: 'Type and key' },
  { id: 'state', title: 'state', meaning: 'State value' },
  { id: 'turn', title: 'turn', meaning: 'How long its turn is open' },
  { id: 'waiting', title: 'mail', meaning: 'Inputs that wait, and effects that run' },
  { id: 'errors', title: 'errors', meaning: 'Failed turns and refused entries' },
  { id: 'at', title: 'age', meaning: 'Since its last entry' },
];

export function ActorTable({ selected }: { readonly selected: string | undefined }) {
  const { actors, route } = useApp();
  useStore(actors);
  const { shown, filter, sort, types } = actors;
  const now = Date.now();
  return (
    <section class="actors" aria-label="Actors">
      <search class="filters">
        <input
          type="search"
          aria-label="Search actors by address or state"
          placeholder="Search"
          value={filter.text}
          onInput={(event) => actors.setFilter({ text: event.currentTarget.value })}
        />
        <select
          aria-label="Type"
          value={filter.type}
          onChange={(event) => actors.setFilter({ type: event.currentTarget.value })}
        >
          <option value="">all types</option>
          {types.map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ))}
        </select>
        <select
          aria-label="Which"
          value={filter.only}
          onChange={(event) => actors.setFilter({ only: event.currentTarget.value as typeof filter.only })}
        >
          <option value="all">all</option>
          <option value="busy">busy</option>
          <option value="errors">with errors</option>
        </select>
        <output class="count">{`${shown.length} of ${actors.size}`}</output>
      </search>
      <div class="row head" role="group" aria-label="Order">
        {COLUMNS.map(({ id, title, meaning }) => (
          <button
            key={id}
            type="button"
            class={`a-${id}`}
            title={meaning}
            aria-pressed={sort.by === id}
            aria-label={`Order by: ${meaning}`}
            onClick={() => actors.sortBy(id)}
          >
            {`${title}${sort.by === id ? (sort.down ? ' ↓' : ' ↑') : ''}`}
          </button>
        ))}
      </div>
      {shown.length === 0 && <p class="empty">{emptyText(actors.loaded, actors.size)}</p>}
      <VirtualList
        id="actors"
        label="Actors"
        count={shown.length}
        rowHeight={ROW_HEIGHT}
        selected={selected === undefined ? undefined : shown.indexOf(selected)}
        stamp={(index) => [actors.row(shown[index]!), Math.floor(now / 1_000)]}
        row={(index) => <Cells row={actors.row(shown[index]!)} now={now} />}
        rowClass={(index) => `actor ${actors.row(shown[index]!)?.status ?? ''}`}
        onSelect={(index) => route.go({ actor: shown[index], seq: undefined })}
      />
    </section>
  );
}

function emptyText(loaded: boolean, size: number): string {
  if (!loaded) return 'Asking the workers …';
  return size === 0
    ? 'No worker that runs has an actor in memory, and none is stored as a snapshot. Send a task to one, and it is there; any can be opened by its address, /actor/type/key.'
    : 'None matches.';
}

function Cells({ row, now }: { readonly row: ActorRow | undefined; readonly now: number }) {
  if (row === undefined) return null;
  const { actor, status, value, turnSince, waiting = 0, running = 0, errors, lastError, at } = row;
  const state = status === undefined || status === 'active' ? stateText(value) : `${status} ${stateText(value)}`;
  const mail = `${waiting > 0 ? `${waiting} ✉` : ''}${running > 0 ? ` ${running} ⚙` : ''}`;
  return (
    <>
      <span class="a-actor" title={actor}>
        {cut(actor, 120)}
      </span>
      <span class="a-state">{cut(state, 80)}</span>
      <span class="a-turn">{turnSince === undefined ? '' : duration(Math.max(0, now - turnSince))}</span>
      <span class="a-waiting">{mail}</span>
      <span class={`a-errors ${errors > 0 ? 'error' : ''}`} title={lastError}>
        {errors > 0 ? errors : ''}
      </span>
      <span class="a-at">{at === undefined ? '' : age(at, now)}</span>
    </>
  );
}

/** Workers, and which partitions they own. Read again every few seconds while it is shown. */
import { useEffect, useState } from 'preact/hooks';
import { http } from '../model/http.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { age, short } from '../text.ts';
import type { GlobalPanel } from './panel.ts';

const EVERY_MS = 3_000;
const COLUMNS = [
  ['partition', 'Share of all actors'],
  ['owner', 'The worker that runs its actors'],
  ['epoch', 'How often it changed hands'],
  ['state', 'As its owner tells'],
  ['head', 'Sequence of its last entry'],
  ['not yet read', 'Entries that its owner has not taken yet, at most'],
  ['since checkpoint', 'Entries that a next owner would read again, at most'],
  ['actors in memory', ''],
] as const;

export const workersPanel: GlobalPanel = { id: 'workers', title: 'Workers', view: WorkersPanel };

interface Worker {
  readonly id: string;
  readonly answers: boolean;
  readonly startedAt: number;
  readonly types: Readonly<Record<string, number>>;
  readonly stats?: Readonly<Record<string, unknown>>;
}

interface Partition {
  readonly partition: number;
  readonly owner?: string;
  readonly ownerAlive: boolean;
  readonly epoch: number;
  readonly head: number;
  readonly mark: number;
  readonly state?: string;
  readonly position?: number;
  readonly resident?: number;
}

function WorkersPanel() {
  const [round, setRound] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setRound((count) => count + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const workers = useAnswer(() => http<{ readonly workers: readonly Worker[] }>('GET', '/v1/workers'), [round]);
  const partitions = useAnswer(
    () => http<{ readonly partitions: readonly Partition[] }>('GET', '/v1/partitions'),
    [round],
  );
  return (
    <section class="panel page" aria-label="Workers and partitions">
      <h2>Workers</h2>
      <p class="problem" role="alert">
        {workers.error ?? partitions.error ?? ''}
      </p>
      <ul class="workers">
        {(workers.value?.workers ?? []).map((worker) => (
          <WorkerCard key={worker.id} worker={worker} partitions={partitions.value?.partitions ?? []} />
        ))}
      </ul>
      {workers.value?.workers.length === 0 && <p class="empty">No worker is alive: tasks are stored and wait.</p>}
      <h2>Partitions</h2>
      <Partitions partitions={partitions.value?.partitions ?? []} />
    </section>
  );
}

function WorkerCard({ worker, partitions }: { readonly worker: Worker; readonly partitions: readonly Partition[] }) {
  const owned = partitions.filter(({ owner }) => owner === worker.id);
  const types = Object.entries(worker.types).map(([type, version]) => `${type} v${version}`);
  const stats = Object.entries(worker.stats ?? {}).filter(([, value]) => typeof value !== 'object');
  return (
    <li class="card">
      <h3>{worker.id}</h3>
      <p>
        {worker.answers ? `up ${age(worker.startedAt, Date.now())}` : 'does not answer'}
        {`, ${owned.length} partitions, ${types.join(', ')}`}
      </p>
      <details>
        <summary>Figures</summary>
        <dl>
          {stats.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{short(value, 60)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

function Partitions({ partitions }: { readonly partitions: readonly Partition[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div class="scroll-x" tabIndex={0} role="region" aria-label="Partitions, scrollable">
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([title, meaning]) => (
              <th key={title} scope="col" title={meaning}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {partitions.map((one) => (
            <tr key={one.partition} class={one.ownerAlive ? '' : 'failed'}>
              <th scope="row">{one.partition}</th>
              <td>{one.owner === undefined ? 'nobody' : `${one.owner}${one.ownerAlive ? '' : ' (dead)'}`}</td>
              <td>{one.epoch}</td>
              <td>{one.state ?? ''}</td>
              <td>{one.head}</td>
              <td>{Math.max(0, one.head - (one.position ?? one.mark - 1))}</td>
              <td>{Math.max(0, one.head - one.mark + 1)}</td>
              <td>{one.resident ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The state at the moment that is shown, as a query would have answered it then, with what the step changed. */
import type { FullStep, LiveChange } from '../../src/live-protocol.ts';
import { useApp } from '../app-context.ts';
import type { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { useAnswer } from '../parts/use-answer.ts';
import { ValueTree } from '../parts/value-tree.tsx';
import { cut, short } from '../text.ts';
import type { ActorPanel } from './panel.ts';

const CHANGES_SHOWN = 200;

export const statePanel: ActorPanel = { id: 'state', title: 'State', view: StatePanel };

function StatePanel({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const { socket } = useApp();
  const { shown, actor } = model;
  const live = model.momentSeq === undefined;
  const answer = useAnswer<FullStep | { readonly state: unknown; readonly changes: readonly LiveChange[] }>(() => {
    if (shown !== undefined) return model.full(shown.seq);
    return socket.ask('state', { actor }).then((state) => ({ state, changes: [] }));
  }, [shown?.seq, actor]);
  const { value, error } = answer;
  return (
    <section class="panel state-panel" aria-label="State">
      <div class="toolbar">
        <output class="now">{`${live ? 'now' : 'then'}, after entry ${shown?.seq ?? '–'}`}</output>
      </div>
      {error !== undefined && <p class="problem">{error}</p>}
      {value === undefined ? (
        <p class="empty">{answer.loading ? 'Reading …' : ''}</p>
      ) : (
        <div class="columns">
          <ValueTree label="State" value={value.state} changes={value.changes} />
          <Changes changes={value.changes} />
        </div>
      )}
    </section>
  );
}

function Changes({ changes }: { readonly changes: readonly LiveChange[] }) {
  return (
    <section class="changes" aria-label="What this step changed">
      <h3>{`Changed by this step (${changes.length})`}</h3>
      <ul>
        {changes.slice(0, CHANGES_SHOWN).map((change) => (
          <li key={change.path.join('\0')} class={`changed-${change.kind}`}>
            <code>{cut(change.path.join('.'), 120)}</code>
            {change.kind !== 'added' && <del>{short(change.before, 120)}</del>}
            {change.kind !== 'removed' && <ins>{short(change.after, 120)}</ins>}
          </li>
        ))}
      </ul>
      {changes.length > CHANGES_SHOWN && <p>{`and ${changes.length - CHANGES_SHOWN} more`}</p>}
    </section>
  );
}

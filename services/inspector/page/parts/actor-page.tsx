/** One actor: its panels as tabs, and under them the moment that they show. */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useApp } from '../app-context.ts';
import { ActorModel } from '../model/actor-model.ts';
import { useStore } from '../model/store.ts';
import { ACTOR_PANELS } from '../panels/index.ts';
import { cut, stateText } from '../text.ts';
import { MomentBar } from './moment-bar.tsx';

export function ActorPage({ actor }: { readonly actor: string }) {
  const { socket, route } = useApp();
  useStore(route);
  const { place } = route;
  const model = useMemo(() => new ActorModel(socket, actor, place.seq), [socket, actor]);
  useEffect(() => () => model.close(), [model]);
  // The moment of the address and that of the model follow each other, each some frames late. What this page wrote into the
  // address itself must not come back: a slider that has moved on meanwhile would jump.
  const known = useRef(place.seq);
  useEffect(() => {
    // Effects run late as well: what counts is where the address is by now.
    const { seq } = route.place;
    if (seq === known.current) return;
    known.current = seq;
    model.goTo(seq);
  }, [place.seq, model]);
  useEffect(
    () =>
      model.subscribe(() => {
        if (model.momentSeq === route.place.seq) return;
        known.current = model.momentSeq;
        route.go({ seq: model.momentSeq }, { replace: true });
      }),
    [model],
  );
  const panel = ACTOR_PANELS.find(({ id }) => id === place.panel) ?? ACTOR_PANELS[0]!;
  const View = panel.view;
  return (
    <section class="actor-page" aria-label={actor}>
      <Title model={model} />
      <Tabs current={panel.id} onOpen={(id) => route.go({ panel: id })} />
      <div class="panel-place" role="tabpanel" id={`panel-${panel.id}`} aria-labelledby={`tab-${panel.id}`}>
        <View key={actor} model={model} />
      </div>
      <MomentBar model={model} onMoment={(seq) => model.goTo(seq)} />
    </section>
  );
}

function Title({ model }: { readonly model: ActorModel }) {
  useStore(model);
  const { route } = useApp();
  const { actor, shown } = model;
  const facts = shown && [
    stateText(shown.after.value),
    shown.after.status === 'active' ? '' : shown.after.status,
    shown.turn === undefined ? '' : 'turn open',
    shown.waiting > 0 ? `${shown.waiting} waiting` : '',
    shown.running > 0 ? `${shown.running} running` : '',
    `${shown.turns} ${shown.turns === 1 ? 'turn' : 'turns'}`,
    `v${shown.version}`,
  ];
  return (
    <header class="actor-title">
      <button
        type="button"
        class="back"
        aria-label="All actors"
        onClick={() => route.go({ actor: undefined, panel: undefined, seq: undefined })}
      >
        ‹
      </button>
      <h2 title={actor}>{cut(actor, 120)}</h2>
      <output class="muted" aria-live="polite">
        {(facts ?? []).filter((fact) => fact !== '').join(' · ')}
      </output>
    </header>
  );
}

function Tabs({ current, onOpen }: { readonly current: string; readonly onOpen: (id: string) => void }) {
  const move = (event: KeyboardEvent): void => {
    const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    const at = ACTOR_PANELS.findIndex(({ id }) => id === current);
    const next = ACTOR_PANELS[(at + by + ACTOR_PANELS.length) % ACTOR_PANELS.length]!;
    onOpen(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Panels" onKeyDown={move}>
      {ACTOR_PANELS.map(({ id, title }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          aria-selected={id === current}
          aria-controls={`panel-${id}`}
          tabIndex={id === current ? 0 : -1}
          onClick={() => onOpen(id)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

/** The application: who is connected, the list of actors, and what is looked at. */
import './styles/base.css';
import './styles/lists.css';
import './styles/panels.css';
import './styles/chart.css';
import { render } from 'preact';
import { type App, AppContext, useApp } from './app-context.ts';
import { ActorList } from './model/actor-list.ts';
import { LiveSocket } from './model/live-socket.ts';
import { Route } from './model/route.ts';
import { Session } from './model/session.ts';
import { useStore } from './model/store.ts';
import { GLOBAL_PANELS } from './panels/index.ts';
import { ActorPage } from './parts/actor-page.tsx';
import { ActorTable } from './parts/actor-table.tsx';

function Shell() {
  const { route } = useApp();
  useStore(route);
  const { actor, panel } = route.place;
  const global = actor === undefined ? GLOBAL_PANELS.find(({ id }) => id === panel) : undefined;
  const View = global?.view;
  const looksAtOne = actor !== undefined || View !== undefined;
  document.title = actor === undefined ? `${global?.title ?? 'Actors'} · Troupe` : `${actor} · Troupe`;
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <Header current={global?.id} />
      <div class={`body ${looksAtOne ? 'one' : 'list'}`}>
        <aside>
          <ActorTable selected={actor} />
        </aside>
        <main id="main" tabIndex={-1}>
          {actor !== undefined && <ActorPage key={actor} actor={actor} />}
          {View !== undefined && <View />}
          {!looksAtOne && <p class="empty hint">Choose an actor to see its machine, its history and its state.</p>}
        </main>
      </div>
      <Notice />
    </>
  );
}

function Header({ current }: { readonly current: string | undefined }) {
  const { socket, session, route } = useApp();
  useStore(socket);
  useStore(session);
  const { hello, theme } = session;
  const go = (panel: string | undefined) => route.go({ actor: undefined, panel, seq: undefined });
  return (
    <header class="top">
      <h1>
        <button type="button" class="brand" onClick={() => go(undefined)}>
          Troupe
        </button>
      </h1>
      <nav aria-label="Pages">
        {GLOBAL_PANELS.map(({ id, title }) => (
          <button key={id} type="button" aria-current={id === current ? 'page' : undefined} onClick={() => go(id)}>
            {title}
          </button>
        ))}
      </nav>
      <span class="grow" />
      <output class={`connection ${socket.open ? 'open' : 'closed'}`}>
        {socket.open ? `live${hello === undefined ? '' : ` · ${hello.prefix} · ${hello.role}`}` : 'reconnecting …'}
      </output>
      <button type="button" aria-label={`Colours: ${theme}. Change`} onClick={() => session.nextTheme()}>
        {theme === 'auto' ? '◐' : theme === 'light' ? '☀' : '☾'}
      </button>
    </header>
  );
}

/** For all: shown for a moment, and read out. */
function Notice() {
  const { session } = useApp();
  useStore(session);
  return (
    <div class={`notice ${session.notice === '' ? '' : 'visible'}`} role="status" aria-live="polite">
      {session.notice}
    </div>
  );
}

const socket = new LiveSocket();
const app: App = { socket, actors: new ActorList(socket), route: new Route(), session: new Session(socket) };
const place = document.getElementById('app');
if (place !== null) {
  place.replaceChildren();
  render(
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>,
    place,
  );
}

/** What every view can reach. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ActorList } from './model/actor-list.ts';
import type { LiveSocket } from './model/live-socket.ts';
import type { Route } from './model/route.ts';
import type { Session } from './model/session.ts';

export interface App {
  readonly socket: LiveSocket;
  readonly actors: ActorList;
  readonly route: Route;
  readonly session: Session;
}

export const AppContext = createContext<App | undefined>(undefined);

/** @throws Error outside the application. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('This view is outside the application.');
  return app;
}

/** Every route but those of signing in and the document, in the order of the OpenAPI document. */
import type { Route } from '../http/route.ts';
import { ACTOR_ROUTES } from './actors.ts';
import { CLUSTER_ROUTES } from './cluster.ts';
import { DEAD_LETTER_ROUTES } from './dead-letters.ts';
import { EVENT_ROUTES } from './events.ts';
import { HEALTH_ROUTES } from './health.ts';
import { READ_ROUTES } from './reads.ts';
import { TASK_ROUTES } from './tasks.ts';

export const ROUTES: readonly Route[] = [
  ...TASK_ROUTES,
  ...ACTOR_ROUTES,
  ...READ_ROUTES,
  ...EVENT_ROUTES,
  ...DEAD_LETTER_ROUTES,
  ...CLUSTER_ROUTES,
  ...HEALTH_ROUTES,
];

/** Parameters that several routes share. */
import type { ParamSpec } from '../http/route.ts';

export const ACTOR_PARAMS: Readonly<Record<string, ParamSpec>> = {
  type: { kind: 'text', meaning: 'Actor type: [a-z][a-z0-9-]{0,62}.' },
  key: { kind: 'text', meaning: 'Which actor: 1 to 256 bytes, percent-encoded as one path segment (a slash is %2F).' },
};

export const TASK_ID: ParamSpec = {
  kind: 'text',
  lengthMax: 128,
  meaning:
    'Chosen by the client for safe repeats: the same id again is the same task, with one effect. [A-Za-z0-9_-]{1,128}',
};

export const TASK_HEADERS: Readonly<Record<string, ParamSpec>> = {
  'Troupe-Task-Id': TASK_ID,
  'Troupe-Deadline': {
    kind: 'text',
    lengthMax: 64,
    meaning: 'How long the turn may take from acceptance: a duration such as 250ms, 30s or 1h.',
    default: '60s',
  },
};

export const LAST_EVENT: Readonly<Record<string, ParamSpec>> = {
  'Last-Event-ID': {
    kind: 'text',
    meaning:
      'What the reader has seen last, as browsers send it when they connect again: what came after it is sent first, or a `gap` event where that is no longer known.',
  },
};

export const RAW: ParamSpec = {
  kind: 'switch',
  default: false,
  meaning: 'The body is the input of a task even when it looks like an event (an object with a string type).',
};

export const TIMEOUT: ParamSpec = {
  kind: 'whole',
  min: 1,
  max: 60_000,
  default: 5_000,
  meaning: 'How long to wait for the owner of the actor, ms.',
};

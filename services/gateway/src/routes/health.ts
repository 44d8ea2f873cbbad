/** Whether it runs, whether it is of use, and its figures. */
import { readLeases } from '../cluster-view.ts';
import type { GatewayContext } from '../context.ts';
import { json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';

/** Share of the journal's limit from which it is said. */
const FULL_WARNING = 0.9;

interface Check {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  /** A check that fails without making the gateway useless. */
  readonly degrades?: boolean;
}

const healthz: Route = {
  method: 'GET',
  path: '/healthz',
  operationId: 'healthz',
  tag: 'health',
  summary: 'Whether the gateway runs.',
  role: 'read',
  responses: { 200: { meaning: 'It runs.', schema: ref('Alive') } },
  handle: () => json({ status: 'ok' }),
};

const readyz: Route = {
  method: 'GET',
  path: '/readyz',
  operationId: 'readyz',
  tag: 'health',
  summary: 'Whether a task that is sent now would be taken and run.',
  description:
    'Connection to NATS, the journal and its room, workers. A journal at 90 % degrades without making it not ready.',
  role: 'read',
  responses: {
    200: { meaning: 'Ready, or degraded.', schema: ref('Ready') },
    503: { meaning: 'Not ready; the checks say why.', schema: ref('Ready') },
  },
  async handle(_request, context) {
    const checks = await readChecks(context);
    const failed = checks.filter(({ ok }) => !ok);
    const useless = failed.some(({ degrades }) => degrades !== true);
    const status = useless ? 'not ready' : failed.length > 0 ? 'degraded' : 'ready';
    const shown = checks.map(({ check, ok, message }) => ({ check, ok, message }));
    return json({ status, checks: shown }, useless ? 503 : 200);
  },
};

const metrics: Route = {
  method: 'GET',
  path: '/metrics',
  operationId: 'metrics',
  tag: 'health',
  summary: 'Figures of the gateway and of every worker, as Prometheus text.',
  role: 'read',
  responses: { 200: { meaning: 'The figures.', contentType: 'text/plain; version=0.0.4', schema: { type: 'string' } } },
  handle: async (_request, context) => ({
    kind: 'text',
    status: 200,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: await context.metrics.text(),
  }),
};

export const HEALTH_ROUTES: readonly Route[] = [healthz, readyz, metrics];

async function readChecks(context: GatewayContext): Promise<Check[]> {
  const { bus } = context.ports;
  if (!bus.connected || !context.troupe.status.connected)
    return [{ check: 'nats', ok: false, message: 'There is no connection to NATS: check that nats-server runs.' }];
  const connected: Check = { check: 'nats', ok: true, message: 'connected' };
  const [journal, workers] = await Promise.all([checkJournal(context), checkWorkers(context)]);
  return [connected, journal, workers];
}

async function checkJournal({ ports }: GatewayContext): Promise<Check> {
  try {
    const { bytes, bytesMax } = await ports.journal.info();
    const share = bytesMax > 0 ? bytes / bytesMax : 0;
    const message = bytesMax > 0 ? `${Math.round(share * 100)} % of ${bytesMax} bytes used` : `${bytes} bytes used`;
    return { check: 'journal', ok: share < FULL_WARNING, message, degrades: share < 1 };
  } catch (error) {
    return { check: 'journal', ok: false, message: `The journal can't be read: ${(error as Error).message}` };
  }
}

async function checkWorkers(context: GatewayContext): Promise<Check> {
  try {
    const { length } = await readLeases(context);
    return {
      check: 'workers',
      ok: length > 0,
      message: length > 0 ? `${length} alive` : 'None is alive: start one with troupe worker.',
    };
  } catch (error) {
    return { check: 'workers', ok: false, message: `The leases can't be read: ${(error as Error).message}` };
  }
}

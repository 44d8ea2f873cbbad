/** Workers and partitions. */
import { readPartitions, readWorkers } from '../cluster-view.ts';
import { json } from '../http/reply.ts';
import type { Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';

const workers: Route = {
  method: 'GET',
  path: '/v1/workers',
  operationId: 'workers',
  tag: 'cluster',
  summary: 'Workers that are alive, with what they tell of themselves.',
  role: 'read',
  responses: { 200: { meaning: 'The workers.', schema: ref('Workers') } },
  handle: async (_request, context) => json({ workers: await readWorkers(context) }),
};

const partitions: Route = {
  method: 'GET',
  path: '/v1/partitions',
  operationId: 'partitions',
  tag: 'cluster',
  summary: 'Partitions: who owns them, and where they stand.',
  role: 'read',
  responses: { 200: { meaning: 'The partitions.', schema: ref('Partitions') } },
  handle: async (_request, context) => json({ partitions: await readPartitions(context) }),
};

export const CLUSTER_ROUTES: readonly Route[] = [workers, partitions];

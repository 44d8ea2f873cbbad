/** Dead letters: inputs that could not be applied, to be applied again or dropped. */
import type { DeadLetter } from '@troupe/runtime';
import {
  assertType,
  deadLetterInput,
  deadLetterPayload,
  formatAddress,
  isTroupeError,
  TroupeError,
} from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import { json } from '../http/reply.ts';
import type { ParamSpec, Route } from '../http/route.ts';
import { ref } from '../openapi/schemas.ts';

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
/** How long to wait until a redriven letter is applied, ms. */
const APPLY_MS = 3_000;
const SEQ: ParamSpec = { kind: 'whole', meaning: 'Sequence of the letter.' };

const list: Route = {
  method: 'GET',
  path: '/v1/dead-letters',
  operationId: 'listDeadLetters',
  tag: 'dead letters',
  summary: 'List dead letters, oldest first.',
  role: 'read',
  query: {
    type: { kind: 'text', meaning: 'Only of this actor type.' },
    key: { kind: 'text', meaning: 'Only of this actor; together with type.' },
    after: { kind: 'whole', meaning: 'Only those behind this sequence, as `next` of the page before.' },
    limit: { kind: 'whole', min: 1, max: PAGE_MAX, default: PAGE_DEFAULT, meaning: 'Letters on a page.' },
  },
  responses: { 200: { meaning: 'A page.', schema: ref('DeadLetters') } },
  async handle(request, { ports }) {
    const type = request.text('type');
    const key = request.text('key');
    if (type !== undefined) assertType(type);
    if (key !== undefined && type === undefined)
      throw new TroupeError('InvalidPayload', 'The parameter key needs the parameter type beside it.');
    const after = request.whole('after') ?? 0;
    const limit = request.whole('limit') ?? PAGE_DEFAULT;
    const letters: object[] = [];
    const filter = { ...(type === undefined ? {} : { type }), ...(key === undefined ? {} : { key }) };
    for await (const letter of ports.deadLetters.list(filter)) {
      request.signal.throwIfAborted();
      if (letter.seq <= after) continue;
      letters.push(letterView(letter));
      if (letters.length >= limit) return json({ letters, next: letter.seq });
    }
    return json({ letters });
  },
};

const show: Route = {
  method: 'GET',
  path: '/v1/dead-letters/{seq}',
  operationId: 'deadLetter',
  tag: 'dead letters',
  summary: 'One dead letter: reason, headers, payload.',
  role: 'read',
  params: { seq: SEQ },
  responses: { 200: { meaning: 'The letter.', schema: ref('DeadLetter') } },
  async handle(request, context) {
    return json(letterView(await findLetter(context, request.param('seq'))));
  },
};

const redrive: Route = {
  method: 'POST',
  path: '/v1/dead-letters/{seq}/redrive',
  operationId: 'redriveDeadLetter',
  tag: 'dead letters',
  summary: 'Apply a dead letter again, once what stopped it is repaired.',
  description:
    'It becomes a journal entry that the actor accepts once per letter. What fails again becomes a new letter.',
  role: 'operate',
  params: { seq: SEQ },
  responses: { 200: { meaning: 'It is stored.', schema: ref('Redriven') } },
  async handle(request, context) {
    const { ports, log } = context;
    const letter = await findLetter(context, request.param('seq'));
    const entry = deadLetterInput(letter);
    const { seq } = await ports.journal.append(letter.address, { kind: 'redrive', deadSeq: letter.seq, entry });
    // Stored is enough: the actor accepts it once, and what fails again becomes a letter of its own.
    await ports.deadLetters.remove(letter.seq);
    const actor = formatAddress(letter.address);
    log.info({ actor, seq, deadSeq: letter.seq, by: request.principal?.name }, 'a dead letter was redriven');
    const applied = await isApplied(context, letter, seq, request.signal);
    const refused = applied ? await ports.deadLetters.get(seq) : undefined;
    if (refused !== undefined)
      throw new TroupeError(refused.code, refused.message, { actor, details: { deadLetter: seq } });
    return json({ actor, deadSeq: letter.seq, seq, applied });
  },
};

const drop: Route = {
  method: 'DELETE',
  path: '/v1/dead-letters/{seq}',
  operationId: 'dropDeadLetter',
  tag: 'dead letters',
  summary: 'Remove a dead letter for good.',
  role: 'operate',
  params: { seq: SEQ },
  responses: { 204: { meaning: 'It is gone.' } },
  async handle(request, context) {
    const letter = await findLetter(context, request.param('seq'));
    await context.ports.deadLetters.remove(letter.seq);
    context.log.info(
      { actor: formatAddress(letter.address), deadSeq: letter.seq, by: request.principal?.name },
      'a dead letter was dropped',
    );
    return { kind: 'empty', status: 204 };
  },
};

export const DEAD_LETTER_ROUTES: readonly Route[] = [list, show, redrive, drop];

function letterView(letter: DeadLetter): object {
  const { payload: _bytes, address, ...fields } = letter;
  return { ...fields, actor: formatAddress(address), ...deadLetterPayload(letter) };
}

/** @throws TroupeError `NotFound` */
async function findLetter({ ports }: GatewayContext, text: string): Promise<DeadLetter> {
  const letter = /^\d{1,15}$/.test(text) ? await ports.deadLetters.get(Number(text)) : undefined;
  if (letter !== undefined) return letter;
  throw new TroupeError(
    'NotFound',
    `There is no dead letter ${JSON.stringify(text.slice(0, 40))}: it may have been redriven or dropped, or is older than 30 days.`,
  );
}

async function isApplied(
  { troupe }: GatewayContext,
  { address }: DeadLetter,
  seq: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await troupe.actor(address.type, address.key).snapshot({ minSeq: seq, timeoutMs: APPLY_MS, signal });
    return true;
  } catch (error) {
    if (isTroupeError(error, 'NotFound')) return true;
    if (['NoOwner', 'Timeout', 'UnknownActorType'].some((code) => isTroupeError(error, code as 'Timeout')))
      return false;
    throw error;
  }
}

/**
 * Nothing that a client can publish settles an invoke, fires a timer, stops an actor, forges a sender, makes a worker
 * publish where clients may not, or drops a worker's connection. Every attempt is made against a server without
 * authentication, against one with the client's permissions, and against one with accounts (docs/reference/permissions.md).
 */
import { encodeInternal, encodePayload } from '@troupe/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { headerOf, type RawNats } from './support/raw-nats.ts';
import { fresh, type Security, Stage, until } from './support/stage.ts';
import { victim } from './support/victim.ts';

const RESERVED = [
  'xstate.done.actor.slow',
  'xstate.error.actor.slow',
  'xstate.snapshot.slow',
  'xstate.done.actor.kid',
  'xstate.after.86400000.(machine).clock.armed',
  'xstate.done.state.(machine)',
  'xstate.init',
  'xstate.stop',
  'xstate.promise.resolve',
  'xstate.',
  'troupe.deadline',
  'troupe.',
];

/** What must never be published to because a client asked for the answer there. */
const FOREIGN_SUBJECTS = [
  '$JS.API.STREAM.PURGE.TROUPE_JOURNAL',
  '$JS.API.STREAM.DELETE.TROUPE_JOURNAL',
  '$JS.API.STREAM.MSG.DELETE.TROUPE_JOURNAL',
  'troupe.event.victim.john',
  'troupe.control.drain.w-target',
  'troupe.record.partition.0',
  'troupe.snapshot.0.victim.john',
  '$SYS.REQ.SERVER.PING',
];
const BROKEN_INBOXES = [
  '_INBOX.*',
  '_INBOX.>',
  '_INBOX.client.*',
  '_INBOX',
  '_INBOX.',
  '_INBOX..a',
  '_INBOX.a.',
  '_inbox.a',
  `_INBOX.${'x'.repeat(300)}`,
  `_INBOX.${'x'.repeat(3_000)}`,
  '_INBOX.ünï',
  '_INBOX.a\x01b',
  '_INBOX.\x7f',
];

for (const security of ['open', 'permissions', 'accounts'] as const satisfies readonly Security[]) {
  describe(`a server ${{ open: 'without authentication', permissions: "with the client's permissions", accounts: 'with accounts' }[security]}`, () => {
    let stage: Stage;
    let raw: RawNats;
    let untouched: unknown;
    let before = 0;
    let connectionId: number | undefined;
    const inbox = `_INBOX.client.${fresh()}`;
    const wild = Buffer.from(`${inbox}.>`).toString();

    beforeAll(async () => {
      stage = await Stage.open({ security, definitions: [victim] });
      raw = await stage.attacker();
      raw.subscribe(wild);
      await john().ask('hello');
      untouched = await digest();
      connectionId = await stage.workerConnectionId();
      expect(connectionId).toBeDefined();
    });
    afterAll(async () => {
      raw?.close();
      await stage?.[Symbol.asyncDispose]();
    });

    const john = () => stage.troupe.actor('victim', 'john');

    interface View {
      readonly value: unknown;
      readonly context: { readonly forged: unknown[]; readonly senders: unknown[]; readonly tasks: number };
      readonly [field: string]: unknown;
    }

    async function digest(): Promise<unknown> {
      const { value, context, status, children, timers, effects, turn } = (await john().query('state')) as View;
      return { value, forged: context.forged, senders: context.senders, status, children, timers, effects, turn };
    }

    /** The actor is as it was, the next good task works, and the worker's line was never cut. */
    async function expectUnharmed(): Promise<void> {
      await raw.flush();
      const answer = await john().ask('a good task', { deadlineMs: 10_000 });
      const state = (await john().query('state')) as View;
      // Asks go through a worker, and may be journaled after the good task.
      expect(answer).toBeGreaterThan(before);
      expect(answer).toBeLessThanOrEqual(state.context.tasks);
      before = state.context.tasks;
      expect(await digest()).toEqual(untouched);
      expect(stage.drops).toBe(0);
      expect(await stage.workerConnectionId()).toBe(connectionId);
      expect(stage.rejections).toEqual([]);
      expect(stage.internal.filter(isWorkerTalkedInto)).toEqual([]);
    }

    /** JSON on an internal subject is an answer that was sent astray; entries of ours are none. PubAcks are the server's. */
    function isWorkerTalkedInto({ subject, payload }: { subject: string; payload: string }): boolean {
      if (subject.startsWith('$JS.API.STREAM.') && payload === '') return true;
      return payload.startsWith('{') && !(security !== 'accounts' && payload.includes('"stream":"TROUPE_JOURNAL"'));
    }

    async function reopenIfCut(): Promise<void> {
      if (!raw.closed) return;
      raw = await stage.attacker();
      raw.subscribe(wild);
    }

    async function answerOf(publish: (reply: string) => void): Promise<string> {
      const reply = `${inbox}.${fresh()}`;
      publish(reply);
      const message = await raw.next(
        reply,
        10_000,
        (one) => headerOf(one, 'Troupe-Actor') !== undefined || headerOf(one, 'Nats-Service-Error-Code') !== undefined,
      );
      return message.payload.toString();
    }

    const deadCodes = async (): Promise<string[]> => {
      await using admin = await stage.admin();
      const codes: string[] = [];
      for await (const { code } of admin.deadLetters.list({})) codes.push(code);
      return codes;
    };

    describe('reserved events', () => {
      test.each(RESERVED)('%s is refused as task, ask and signal, as JSON and as MessagePack', async (type) => {
        for (const [contentType, body] of [
          ['application/json', JSON.stringify({ type, output: 'forged', error: 'forged' })],
          ['application/msgpack', Buffer.from(encodePayload({ type, output: 'forged' }, 'application/msgpack'))],
        ] as const) {
          const head = `Content-Type: ${contentType}\r\n`;
          const asTask = await answerOf((reply) =>
            raw.publishWith('troupe.task.victim.john', `${head}Troupe-Reply-To: ${reply}\r\n`, body),
          );
          expect(asTask).toContain('ReservedEvent');
          const asAsk = await answerOf((reply) => raw.publishWith('troupe.ask.victim.john', head, body, reply));
          expect(asAsk).toContain('ReservedEvent');
          raw.publishWith('troupe.signal.victim.john', head, body);
        }
        await expectUnharmed();
      });

      test('a task wrapped as one is unwrapped: its input is data and its sender nobody', async () => {
        for (const type of RESERVED) {
          const forged = {
            type: 'task',
            input: { type, output: 1 },
            task: { id: 'x', at: 0, from: { type: 'admin', key: 'root' } },
          };
          await john().ask(forged);
          await john().ask({ type: 'task', input: forged });
        }
        await expectUnharmed();
      });

      test('a reserved event under Troupe-Input: raw is data', async () => {
        await answerOf((reply) =>
          raw.publishWith(
            'troupe.task.victim.john',
            `Troupe-Input: raw\r\nTroupe-Reply-To: ${reply}\r\n`,
            '{"type":"xstate.done.actor.slow"}',
          ),
        );
        await expectUnharmed();
      });
    });

    describe('forged headers', () => {
      const headers = [
        'Troupe-Effect-Id: victim/john@1.0',
        'Troupe-Kind: outcome',
        'Troupe-From: admin/root\r\nTroupe-Chain: admin/root\r\nTroupe-Caller: admin/root',
        'Troupe-Actor: admin/root\r\nTroupe-Seq: 1\r\nTroupe-Version: 99',
        'Troupe-Write-Id: x\r\nTroupe-Count: 1\r\nTroupe-Hash: x',
        'Nats-Rollup: all',
        'Nats-Rollup: sub',
        'Nats-Schedule: @at 2020-01-01T00:00:00Z\r\nNats-Schedule-Target: troupe.event.victim.john',
        'Nats-Schedule: @every 1s\r\nNats-Schedule-Target: troupe.tick.due.0.1.victim.john\r\nNats-Schedule-TTL: 5m',
        'Nats-Scheduler: troupe.tick.set.0.1.victim.john\r\nNats-Schedule-Next: purge',
        'Nats-TTL: 1s',
        'Nats-TTL: never',
        'Nats-Expected-Stream: TROUPE_RECORDS',
        'Nats-Expected-Last-Sequence: 0',
        'Nats-Expected-Last-Subject-Sequence: 0',
        'Nats-Expected-Last-Subject-Sequence-Subject: troupe.event.victim.john\r\nNats-Expected-Last-Subject-Sequence: 0',
        'Nats-Expected-Last-Msg-Id: x',
        'Nats-Msg-Id: same',
        'Nats-Batch-Id: b\r\nNats-Batch-Sequence: 1',
        'Nats-Batch-Id: b\r\nNats-Batch-Sequence: 2\r\nNats-Batch-Commit: 1',
        'Nats-Incr: 5',
        'Nats-Marker-Reason: Purge',
        'Nats-Service-Error-Code: 500\r\nNats-Service-Error: x',
        'Status: 503\r\nDescription: No Responders',
        'no colon at all',
        ': no name',
        'Troupe-Task-Id:\r\nTroupe-Task-Id: b\r\n troupe-task-id: c',
        '\x00\x01: \xff',
      ];
      test.each(headers)('%j change nothing', async (block) => {
        for (const verb of ['task', 'signal', 'ask', 'query']) {
          raw.publishWith(
            `troupe.${verb}.victim.john`,
            `${block}\r\n`,
            verb === 'signal' ? '{"type":"note"}' : '"x"',
            `${inbox}.${fresh()}`,
          );
        }
        await expectUnharmed();
        await reopenIfCut();
      });

      test('a status line in place of a header block changes nothing', async () => {
        for (const first of [
          'NATS/1.0 503\r\n\r\n',
          'NATS/1.0 100 Idle Heartbeat\r\n\r\n',
          'HTTP/1.1 200\r\n\r\n',
          'x',
        ])
          for (const verb of ['task', 'ask', 'query']) {
            raw.write(
              `HPUB troupe.${verb}.victim.john ${inbox}.x ${first.length} ${first.length + 2}\r\n${first}{}\r\n`,
            );
            await raw.flush();
            await reopenIfCut();
          }
        await expectUnharmed();
      });

      test('ten thousand headers on something refused cost no more than a moment', async () => {
        let block = '';
        for (let i = 0; block.length < 60_000; i++) block += `h${i}:\r\n`;
        const startedAt = performance.now();
        for (let i = 0; i < 5; i++) raw.publishWith('troupe.task.victim.john', block, '{"type":"troupe.x"}');
        await expectUnharmed();
        expect(performance.now() - startedAt).toBeLessThan(15_000);
      });
    });

    describe('reply addresses', () => {
      test.each([...FOREIGN_SUBJECTS, ...BROKEN_INBOXES])(
        '%j in Troupe-Reply-To is not published to',
        async (address) => {
          const before = (await deadCodes()).filter((code) => code === 'InvalidReplyTo').length;
          raw.publishWith('troupe.task.victim.john', `Troupe-Reply-To: ${address}\r\n`, '"x"');
          raw.publishWith('troupe.task.victim.john', `Troupe-Reply-To: ${address}\r\n`, '{"type":"troupe.x"}');
          raw.publishWith('troupe.task.nosuchtype.john', `Troupe-Reply-To: ${address}\r\n`, '"x"');
          await expectUnharmed();
          expect(
            await until(async () => (await deadCodes()).filter((code) => code === 'InvalidReplyTo').length > before),
          ).toBe(true);
        },
      );

      test.each([
        '_INBOX.a b',
        '_INBOX.a\tb',
        '_INBOX.a b\r\nPUB troupe.event.victim.john 2\r\n{}',
        '_INBOX.a\rb',
        '_INBOX.a\nb',
        ' ',
        '',
        '_INBOX.a\x00b',
      ])('%j in Troupe-Reply-To breaks nobody’s line', async (address) => {
        raw.publishWith('troupe.task.victim.john', `Troupe-Reply-To: ${address}\r\n`, '"x"');
        raw.publishWith('troupe.ask.victim.john', `Troupe-Reply-To: ${address}\r\n`, '"x"');
        await expectUnharmed();
        await reopenIfCut();
      });

      test.each([...FOREIGN_SUBJECTS, ...BROKEN_INBOXES])(
        '%j as the reply of an ask or a query is not answered at',
        async (address) => {
          for (const [subject, payload] of [
            ['troupe.ask.victim.john', '"x"'],
            ['troupe.ask.victim.john', '{"type":"troupe.x"}'],
            ['troupe.ask.Not-A-Type.john', '"x"'],
            ['troupe.ask.victim.two.tokens', '"x"'],
            ['troupe.ask.victim.john=2edoe', '"x"'],
            ['troupe.query.victim.john', 'state'],
            ['troupe.query.victim.nobody', 'state'],
            ['troupe.query.victim.john', '{broken'],
            ['troupe.query.Not-A-Type.john', 'state'],
          ] as const) {
            raw.publish(subject, payload, address);
            await raw.flush();
            await reopenIfCut();
          }
          await expectUnharmed();
        },
      );

      // The server acknowledges a stored message to any reply subject: see "What permissions can't do" in permissions.md.
      const acknowledged = FOREIGN_SUBJECTS.filter((s) => security === 'accounts' || !/record|snapshot/.test(s));
      test.each([...acknowledged, ...BROKEN_INBOXES])('%j as the place of a PubAck harms nobody', async (address) => {
        await using admin = await stage.admin();
        const { messages } = await admin.journal.info();
        for (const verb of ['task', 'signal']) {
          raw.publish(`troupe.${verb}.victim.john`, '{"type":"note"}', address);
          await raw.flush();
          await reopenIfCut();
        }
        await expectUnharmed();
        expect((await admin.journal.info()).messages).toBeGreaterThan(messages);
      });
    });

    describe('task ids', () => {
      test.each([
        'a b',
        'a.b',
        '*',
        '>',
        'x'.repeat(129),
        'ünï',
        '$JS.API',
        '../..',
        'a\tb',
        'a/b',
        '__proto__',
        'constructor',
        '1',
        '0',
        '-',
        'NaN',
      ])('%j is refused with InvalidTaskId or is a name like any other', async (taskId) => {
        const valid = /^[A-Za-z0-9_-]{1,128}$/.test(taskId);
        for (const payload of ['"x"', '{"type":"troupe.x"}']) {
          const answer = await answerOf((reply) =>
            raw.publishWith(
              'troupe.task.victim.john',
              `Troupe-Task-Id: ${taskId}\r\nTroupe-Reply-To: ${reply}\r\n`,
              payload,
            ),
          );
          if (!valid) expect(answer).toContain('InvalidTaskId');
          else expect(answer).not.toContain('InvalidTaskId');
        }
        raw.publishWith('troupe.signal.victim.john', `Troupe-Task-Id: ${taskId}\r\n`, '{"type":"note"}');
        raw.publishWith('troupe.ask.victim.john', `Troupe-Task-Id: ${taskId}\r\n`, '"x"', `${inbox}.${fresh()}`);
        await expectUnharmed();
      });
    });

    describe('subjects', () => {
      const subjects = [
        'troupe.task.victim.*',
        'troupe.task.victim.>',
        'troupe.task.*.john',
        'troupe.task.>',
        'troupe.task.*',
        'troupe.task.victim',
        'troupe.task.victim.a.b.c.d',
        'troupe.signal.victim.*',
        'troupe.signal.>',
        'troupe.ask.victim.*',
        'troupe.ask.victim.>',
        'troupe.ask.*.john',
        'troupe.ask.victim',
        'troupe.ask.>',
        'troupe.query.victim.*',
        'troupe.query.victim.>',
        'troupe.query.*.john',
        'troupe.query.victim',
        'troupe.task.invalid.invalid',
        'troupe.task.constructor.john',
        'troupe.task.prototype.john',
        'troupe.ask.constructor.john',
        'troupe.query.constructor.john',
        'troupe.query.invalid.x',
        'troupe.task.VICTIM.john',
        'troupe.task.victim.=',
        'troupe.task.victim.=2',
        'troupe.task.victim.=ZZ',
        'troupe.task.victim.john=2edoe',
        'troupe.task.victim.=6Aohn',
        'troupe.task.victim.=FF',
        'troupe.task.victim.a\x01b',
        'troupe.task.victim.a\x7fb',
        `troupe.task.victim.${'k'.repeat(257)}`,
        `troupe.task.victim.${'k'.repeat(3_500)}`,
        `troupe.task.${'t'.repeat(64)}.john`,
        'troupe.signal.nosuchtype.x',
        'troupe.signal.constructor.x',
        'troupe.task.victim.__proto__',
        'troupe.task.__proto__.x',
        'troupe.query.victim.__proto__',
        'troupe.task.victim..x',
        'troupe.task.victim. x',
        'troupe..task.victim.x',
        '.',
        'troupe.task.victim.x\ty',
      ];
      test.each(subjects)('%j harms nobody', async (subject) => {
        for (const payload of ['"x"', '{"type":"note"}', 'state']) {
          raw.publish(subject, payload, `${inbox}.${fresh()}`);
          raw.publishWith(subject, `Troupe-Reply-To: ${inbox}.${fresh()}\r\nTroupe-Task-Id: t-${fresh()}\r\n`, payload);
          await raw.flush();
          await reopenIfCut();
        }
        await expectUnharmed();
      });

      test.each([
        [Buffer.from('troupe.task.victim.a\xffb', 'latin1')],
        [Buffer.from('troupe.task.\xc3\x28.john', 'latin1')],
        [Buffer.from('troupe.ask.victim.\xed\xa0\x80', 'latin1')],
        [Buffer.from('troupe.query.victim.\xff', 'latin1')],
      ])('bytes that are no UTF-8 (%o) harm nobody', async (subject) => {
        raw.publish(subject, '"x"', `${inbox}.${fresh()}`);
        await raw.flush();
        await reopenIfCut();
        await expectUnharmed();
      });

      test('everything refused has been kept or told; the checkpoint goes on', async () => {
        expect(
          stage.log.filter(({ level, message }) => level === 'error' || /checkpoint not written/.test(message)),
        ).toEqual([]);
      });
    });

    describe('queries', () => {
      test.each([
        '{"query":"constructor"}',
        '{"query":"__proto__"}',
        'toString',
        'valueOf',
        'hasOwnProperty',
        '{"query":{"a":1}}',
        '[]',
        'null',
        '{',
        '{"query":"history","last":1e308}',
        '{"query":"history","last":-1,"limit":-5,"fromSeq":-1,"toSeq":-1}',
        '{"query":"history","fromSeq":1.5}',
        '{"query":"history","fromSeq":9007199254740993}',
        '{"query":"history","fromSeq":"x","limit":"x"}',
        '{"query":"outcome"}',
        '{"query":"outcome","taskId":"__proto__"}',
        '{"query":"outcome","taskId":{"a":1}}',
        '{"query":"state","timeoutMs":-1}',
        '{"query":"state","timeoutMs":1e99}',
        '\xff\xfe',
        ' ',
        '"state"',
      ])('%j is answered with a value or an error', async (payload) => {
        for (const more of [
          '',
          'Accept: application/msgpack\r\n',
          'Accept: \xff\r\n',
          'Troupe-Min-Seq: x\r\n',
          'Troupe-Min-Seq: -1\r\n',
        ]) {
          const reply = `${inbox}.${fresh()}`;
          raw.publishWith('troupe.query.victim.john', more, payload, reply);
          await raw.next(reply);
        }
        await expectUnharmed();
      });

      test('none of them makes an actor', async () => {
        const replies = Array.from({ length: 20 }, () => `${inbox}.${fresh()}`);
        for (const reply of replies) raw.publish('troupe.query.victim.nobody', 'state', reply);
        for (const reply of replies) expect((await raw.next(reply)).payload.toString()).toContain('NotFound');
      });
    });

    describe('payloads', () => {
      const deep = (n: number) => `${'['.repeat(n)}${']'.repeat(n)}`;
      const payloads: [string, string, string | Buffer][] = [
        ['JSON with __proto__', 'application/json', '{"type":"note","__proto__":{"polluted":1}}'],
        [
          'JSON with constructor.prototype',
          'application/json',
          '{"type":"note","constructor":{"prototype":{"polluted":1}}}',
        ],
        ['JSON 100,000 deep', 'application/json', deep(100_000)],
        ['JSON cut short', 'application/json', '{"type":"no'],
        ['MessagePack that claims 4 billion elements', 'application/msgpack', Buffer.from('ddffffffff', 'hex')],
        ['MessagePack that claims a 4 GiB string', 'application/msgpack', Buffer.from('dbffffffff41', 'hex')],
        ['MessagePack that claims a map of 4 billion', 'application/msgpack', Buffer.from('dfffffffff', 'hex')],
        ['MessagePack with a record extension', 'application/msgpack', Buffer.from('d40072', 'hex')],
        ['MessagePack of an error extension', 'application/msgpack', Buffer.from('d6650000000093', 'hex')],
        ['MessagePack with __proto__', 'application/msgpack', Buffer.from('81a95f5f70726f746f5f5f81a170c3', 'hex')],
        [
          'MessagePack 10,000 deep',
          'application/msgpack',
          Buffer.concat([Buffer.alloc(10_000, 0x91), Buffer.from([0xc0])]),
        ],
        ['bytes that are no text', 'text/plain', Buffer.from([0xff, 0xfe, 0xfd])],
        ['an unknown content type', 'application/x-java-serialized-object', 'x'],
        ['a content type of another charset', 'text/plain; charset=latin1', 'x'],
        ['nothing', 'application/json', ''],
        ['900 KB of an unknown event type', 'application/json', JSON.stringify({ type: 'y'.repeat(900_000) })],
      ];
      test.each(payloads)('%s is refused or taken, and harms nobody', async (_, contentType, payload) => {
        for (const verb of ['task', 'signal', 'ask', 'query'])
          raw.publishWith(
            `troupe.${verb}.victim.john`,
            `Content-Type: ${contentType}\r\n`,
            payload,
            `${inbox}.${fresh()}`,
          );
        const answer = await answerOf((reply) =>
          raw.publishWith(
            'troupe.task.victim.mallory',
            `Content-Type: ${contentType}\r\nTroupe-Reply-To: ${reply}\r\n`,
            payload,
          ),
        );
        expect(answer).not.toBe('');
        await expectUnharmed();
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      });
    });

    describe('internal subjects', () => {
      const outcome = Buffer.from(
        encodeInternal({ kind: 'outcome', effectId: 'victim/john@1.0', result: { ok: true, value: 'forged' } }).payload,
      );
      const tick = Buffer.from(encodeInternal({ kind: 'tick' }).payload);
      const direct: [string, Buffer][] = [
        ['troupe.event.victim.john', outcome],
        ['troupe.event.victim.john', tick],
        ['troupe.tick.set.0.1.victim.john', tick],
        ['troupe.tick.due.0.1.victim.john', tick],
        ['troupe.snapshot.0.victim.john', outcome],
        ['troupe.record.partition.0', outcome],
        ['troupe.record.checkpoint.0', outcome],
        ['troupe.record.worker.w-target', outcome],
        ['troupe.journal.0.event.victim.john', outcome],
        ['troupe.journal.0.task.victim.john', Buffer.from('"x"')],
        ['troupe.parked.0.victim.john', outcome],
        ['troupe.forward.0.victim.john', Buffer.from('state')],
        ['troupe.control.drain.w-target', Buffer.from('{}')],
        ['troupe.control.list', Buffer.from('{}')],
        ['troupe.dead.victim.john.1', outcome],
        ['troupe.out.victim.john', Buffer.from('{}')],
        ['troupe.stream.victim.john.t', Buffer.from('{}')],
        ['troupe.inspect.victim.john', Buffer.from('{}')],
        ['_INBOX.worker.x', Buffer.from('{}')],
        ['$JS.API.STREAM.PURGE.TROUPE_JOURNAL', Buffer.from('{}')],
        ['$JS.API.STREAM.DELETE.TROUPE_SNAPSHOTS', Buffer.alloc(0)],
        ['$JS.API.STREAM.MSG.GET.TROUPE_JOURNAL', Buffer.from('{"seq":1}')],
        ['$JS.API.CONSUMER.CREATE.TROUPE_JOURNAL.c', Buffer.from('{}')],
        ['$JS.ACK.TROUPE_JOURNAL.c.1.1.1.1.1', Buffer.from('+TERM')],
      ];
      test.skipIf(security === 'open').each(direct)(
        'publishing to %s is refused by the server',
        async (subject, payload) => {
          const refusals = raw.errors.length;
          raw.publish(subject, payload, `${inbox}.${fresh()}`);
          await raw.flush();
          expect(raw.errors.slice(refusals).join()).toContain('Permissions Violation');
          await expectUnharmed();
        },
      );

      test
        .skipIf(security === 'open')
        .each([
          'troupe.>',
          'troupe.event.>',
          'troupe.task.>',
          'troupe.snapshot.>',
          '_INBOX.>',
          '_INBOX.worker.>',
          '$JS.>',
          '>',
          'troupe.dead.>',
          'troupe.inspect.>',
        ])('listening to %s is refused by the server', async (subject) => {
        const refusals = raw.errors.length;
        raw.subscribe(subject);
        await raw.flush();
        expect(raw.errors.slice(refusals).join()).toContain('Permissions Violation');
      });

      test.runIf(security === 'open').each([
        ['an entry that is none', Buffer.from('["type","x"]')],
        ['nothing', Buffer.alloc(0)],
        ['random bytes', Buffer.from('c1ffdd00', 'hex')],
        [
          'an entry for another effect',
          Buffer.from(
            encodeInternal({ kind: 'outcome', effectId: 'victim/john@999999.0', result: { ok: true, value: 1 } })
              .payload,
          ),
        ],
      ])('on the event subject %s is refused also where everybody may publish there', async (_, payload) => {
        raw.publish('troupe.event.victim.john', payload);
        raw.publish('troupe.event.nosuch.john', payload);
        raw.publish('troupe.event.victim.jo=hn', payload);
        await expectUnharmed();
      });
    });

    describe('the protocol itself', () => {
      test.each([
        'PUB troupe.task.victim.jo hn 2\r\n{}\r\n',
        'PUB troupe.task.victim.john -1\r\n{}\r\n',
        'PUB troupe.task.victim.john 99999999999\r\n{}\r\n',
        'PUB troupe.task.victim.john 2\r\n{}{}{}\r\n',
        'HPUB troupe.task.victim.john 99 2\r\n{}\r\n',
        'HPUB troupe.task.victim.john 12 14\r\nNATS/1.0\r\n\r\n{}\r\n',
        'SUB troupe.ask.> troupe-workers 7\r\n',
        'SUB troupe.query.> troupe-workers 8\r\n',
        'UNSUB 99999\r\n',
        'RMSG $G troupe.event.victim.john 2\r\n{}\r\n',
        `CONNECT {"user":"worker"}\r\n`,
        'INFO {}\r\n',
        `${'x'.repeat(5_000)}\r\n`,
        '\r\n\r\n\r\n',
      ])('%j ends at most the attacker’s own line', async (line) => {
        using bad = await stage.attacker();
        bad.write(line);
        await bad.flush();
        bad.close();
        await expectUnharmed();
      });
    });
  });
}

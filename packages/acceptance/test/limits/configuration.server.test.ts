/** What is configured wrongly is refused at the start, with what was seen and what to do. */
import { defineAgent, defineConfig, reply } from '@troupe/agent';
import { connectNats, createNatsPorts, provision, resolveConfig } from '@troupe/nats';
import { startWorker } from '@troupe/runtime';
import { startNatsServer } from '@troupe/testing';
import type { TroupeError } from '@troupe/wire';
import { describe, expect, test } from 'vitest';
import { setup } from 'xstate';
import { Stage, until } from '../hostile/support/stage.ts';

function agent(type: string, version = 1, answer: unknown = version) {
  return defineAgent({
    type,
    version,
    machine: setup({}).createMachine({ id: String(answer), on: { task: { actions: reply(() => answer) } } }),
  });
}

async function errorOf(call: () => unknown): Promise<TroupeError> {
  try {
    await call();
  } catch (error) {
    return error as TroupeError;
  }
  return expect.unreachable('nothing was refused');
}

describe('a definition', () => {
  const machine = setup({}).createMachine({ on: { task: { actions: reply(1) } } });
  test.each([
    ['a type in capitals', { type: 'Support', version: 1, machine }, /type is "Support"/],
    ['a type with a dot', { type: 'a.b', version: 1, machine }, /type is "a.b"/],
    ['version 0', { type: 'a', version: 0, machine }, /version is "0"/],
    ['half a version', { type: 'a', version: 1.5, machine }, /version is "1.5"/],
    [
      'a deadline above the longest',
      { type: 'a', version: 1, machine, task: { deadlineMs: 9e9 } },
      /task.deadlineMs is/,
    ],
    [
      'a mailbox below nothing',
      { type: 'a', version: 1, machine, mailbox: { depthMax: -1 } },
      /mailbox.depthMax is "-1"/,
    ],
    ['a state limit of nothing', { type: 'a', version: 1, machine, stateBytesMax: 1 }, /stateBytesMax is "1"/],
    ['an effect that its machine has not', { type: 'a', version: 1, machine, effects: { nosuch: {} } }, /nosuch/],
    [
      'a previous one of another type',
      { type: 'a', version: 2, machine, previous: [agent('b')] },
      /previous is "b version 1"/,
    ],
    [
      'a previous one that is newer',
      { type: 'a', version: 2, machine, previous: [agent('a', 3)] },
      /previous is "a version 3"/,
    ],
  ])('with %s is refused, naming it', async (_, options, said) => {
    const error = await errorOf(() => defineAgent(options as never));
    expect(error).toMatchObject({ code: 'ConfigInvalid', message: said });
  });

  test.each(['invalid', 'constructor', 'prototype'])('with the reserved type %s is refused', async (type) => {
    expect((await errorOf(() => agent(type))).message).toContain(type);
  });
});

describe('a project', () => {
  test.each([
    ['two definitions of one type', { actors: [agent('a'), agent('a', 2)] }, /type is "a"/],
    ['a machine alone', { actors: [setup({}).createMachine({})] }, /defineAgent/],
    ['no list of actors', {}, /actors/],
    ['a field that is none', { actors: [], partition: 3 }, /Did you mean 'partitions'/],
    ['partitions of nothing', { actors: [], partitions: 0 }, /partitions/],
    ['a log level that is none', { actors: [], logLevel: 'loud' }, /logLevel/],
  ])('with %s is refused, naming it', async (_, options, said) => {
    expect(await errorOf(() => defineConfig(options as never))).toMatchObject({ code: 'ConfigInvalid', message: said });
  });
});

describe('streams', () => {
  test.each([
    [{ prefix: 'a b' }, /Prefix "a b"/],
    [{ prefix: 'a.*' }, /Prefix/],
    [{ partitions: 0 }, /nats.partitions is 0/],
    [{ replicas: 2 }, /nats.replicas is 2/],
    [{ journals: [{ types: ['a'] }, { types: ['a'] }] }, /each type in one journal/],
    [{ journals: [{ types: [] }] }, /at least one type/],
  ])('%j are refused', async (options, said) => {
    expect(await errorOf(() => resolveConfig(options as never))).toMatchObject({
      code: 'ConfigInvalid',
      message: said,
    });
  });

  test('that exist with another number of partitions are refused with the reason', async () => {
    await using server = await startNatsServer();
    const connection = await connectNats({ servers: server.url });
    await provision(connection, resolveConfig({ partitions: 4 }));
    const error = await errorOf(() => provision(connection, resolveConfig({ partitions: 8 })));
    await connection.close();
    expect(error).toMatchObject({ code: 'StreamMismatch', message: /4 partitions, configured are 8/ });
  });

  test('on a server without JetStream: a clear error', async () => {
    await using server = await startNatsServer({ jetstream: false });
    const connection = await connectNats({ servers: server.url });
    const error = await errorOf(() => provision(connection, resolveConfig()));
    await connection.close();
    expect(error.message).toMatch(/JetStream/);
  });
});

describe('a worker', () => {
  test('with two definitions of one type, a bad id or bad options is refused before it does anything', async () => {
    await using stage = await Stage.open({ definitions: [agent('a')] });
    const start = (more: object) =>
      errorOf(() => startWorker({ ports: stage.ports, definitions: [agent('a')], ...more }));
    expect(await start({ definitions: [agent('a'), agent('a', 2)] })).toMatchObject({
      code: 'ConfigInvalid',
      message: /Two definitions have the type 'a'/,
    });
    expect(await start({ id: 'a.b' })).toMatchObject({ code: 'ConfigInvalid', message: /Worker id "a.b"/ });
    expect((await start({ options: { leaseTtlMs: 1_000, renewEveryMs: 900 } })).message).toContain(
      'renewEveryMs is 900',
    );
    expect((await start({ options: { idleUnloadMs: -1 } })).message).toContain('idleUnloadMs is -1');
    expect((await start({ prefix: 'a b' })).code).toBe('ConfigInvalid');
  });

  test('without a type that was hosted before keeps its tasks, and leaves the others alone; with it again, they are answered', async () => {
    await using stage = await Stage.open({ definitions: [agent('stays'), agent('goes')] });
    expect(await stage.troupe.actor('goes', 'x').ask(1)).toBe(1);
    await stage.worker.drain();
    const ports = createNatsPorts(await connectNats({ servers: stage.server.url }), stage.config);
    const without = await startWorker({ ports, definitions: [agent('stays')] });
    await without.ready;
    const kept = stage.troupe.actor('goes', 'x').ask(2);
    const refused = await errorOf(() => stage.troupe.actor('never', 'x').ask(1));
    expect(refused.code).toBe('UnknownActorType');
    expect(await stage.troupe.actor('stays', 'x').ask(1)).toBe(1);
    await without.drain();
    await ports.close();
    await stage.startWorker();
    expect(await kept).toBe(1);
    expect(await stage.troupe.actor('goes', 'x').ask(3)).toBe(1);
  });

  test('with a changed definition of the same version suspends the actor with VersionConflict; the one before continues it', async () => {
    const before = agent('a', 1, 'one');
    await using stage = await Stage.open({ definitions: [before] });
    expect(await stage.troupe.actor('a', 'x').ask(1)).toBe('one');
    await stage.worker.drain();
    const ports = createNatsPorts(await connectNats({ servers: stage.server.url }), stage.config);
    const changed = await startWorker({ ports, definitions: [agent('a', 1, 'another')] });
    await changed.ready;
    const waiting = stage.troupe.actor('a', 'x').ask(2, { deadlineMs: 30_000 });
    let error: TroupeError | undefined;
    await until(async () => {
      error = await stage.troupe
        .actor('a', 'x')
        .query('state')
        .then(
          () => undefined,
          (thrown: TroupeError) => thrown,
        );
      return error?.code === 'VersionConflict';
    });
    expect(error).toMatchObject({ code: 'VersionConflict', message: /Raise the version/ });
    await changed.drain({ deadlineMs: 1_000 });
    await ports.close();
    await stage.startWorker();
    expect(await waiting).toBe('one');
  });
});

describe('connecting', () => {
  test('to nobody, and with a wrong password: a clear error', async () => {
    const nobody = await errorOf(() => connectNats({ servers: 'nats://127.0.0.1:1' }));
    expect(nobody).toMatchObject({ kind: 'disconnected', message: /no NATS server answered at nats:\/\/127.0.0.1:1/ });
    await using stage = await Stage.open({ security: 'permissions', definitions: [agent('a')] });
    const wrong = await errorOf(() => connectNats({ servers: stage.server.url, user: 'client', pass: 'wrong' }));
    expect(wrong).toMatchObject({ kind: 'denied', message: /refused the credentials/ });
  });
});

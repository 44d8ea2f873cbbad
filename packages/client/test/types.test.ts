/** What a contract makes of `ask`, `signal` and `outcome`: checked by the compiler. */
import { contract } from '@troupe/agent';
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { Accepted, ActorRef, AnyEvent, OutcomeView, StateView, WatchEvent } from '../src/index.ts';
import { rig } from './support/fake-wire.ts';

const support = contract({
  type: 'support',
  task: {
    input: z.object({ text: z.string(), urgent: z.coerce.boolean() }),
    output: z.string().transform((text) => text.length),
  },
  events: { approve: z.object({ by: z.string() }), cancel: z.undefined() },
});
type SupportEvent = { readonly type: 'approve'; by: string } | { readonly type: 'cancel' };

const { troupe } = rig();
const john = troupe.actor(support, 'john');

test('a contract types input as callers write it, output as the actor replies it', () => {
  expectTypeOf(john.ask).returns.toEqualTypeOf<Promise<number>>();
  expectTypeOf<{ text: string; urgent: unknown }>().toExtend<Parameters<typeof john.ask>[0]>();
  expectTypeOf<SupportEvent>().toExtend<Parameters<typeof john.ask>[0]>();
  expectTypeOf<{ text: number }>().not.toExtend<Parameters<typeof john.ask>[0]>();
  expectTypeOf(john.send).returns.toEqualTypeOf<Promise<Accepted>>();
  expectTypeOf(john.outcome).returns.toEqualTypeOf<Promise<OutcomeView<number>>>();
});

test('its events are what can be signalled', () => {
  expectTypeOf<{ type: 'approve'; by: string }>().toExtend<Parameters<typeof john.signal>[0]>();
  expectTypeOf<{ type: 'cancel' }>().toExtend<Parameters<typeof john.signal>[0]>();
  expectTypeOf<{ type: 'approve' }>().not.toExtend<Parameters<typeof john.signal>[0]>();
  expectTypeOf<{ type: 'other' }>().not.toExtend<Parameters<typeof john.signal>[0]>();
});

test('what it does not say is unknown, never any', () => {
  const bare = troupe.actor({ type: 'bare' }, 'x');
  const outputOnly = troupe.actor({ type: 'bare', task: { output: z.number() } }, 'x');
  expectTypeOf(bare).toEqualTypeOf<ActorRef<unknown, unknown, AnyEvent>>();
  expectTypeOf(outputOnly.ask).returns.toEqualTypeOf<Promise<number>>();
  expectTypeOf(outputOnly.signal).parameter(0).toEqualTypeOf<AnyEvent>();
  expectTypeOf(troupe.actor(contract({ type: 'bare' }), 'x')).toEqualTypeOf<ActorRef<unknown, unknown, AnyEvent>>();
});

test('by name everything is unknown', () => {
  const named = troupe.actor('support', 'john');
  expectTypeOf(named).toEqualTypeOf<ActorRef<unknown, unknown, AnyEvent>>();
  expectTypeOf(named.snapshot).returns.toEqualTypeOf<Promise<StateView>>();
  expectTypeOf<StateView['context']>().toBeUnknown();
  expectTypeOf<{ type: 'approve'; by: string }>().toExtend<Parameters<typeof named.signal>[0]>();
  interface Approve {
    type: 'approve';
    by: string;
  }
  expectTypeOf<Approve>().toExtend<Parameters<typeof named.signal>[0]>();
  expectTypeOf<{ by: string }>().not.toExtend<Parameters<typeof named.signal>[0]>();
});

test('watch tells outcomes of the output type', () => {
  type Seen = WatchEvent<number>;
  expectTypeOf<Extract<Seen, { kind: 'outcome'; ok: true }>['value']>().toEqualTypeOf<number>();
  expectTypeOf<Extract<Seen, { kind: 'event' }>['event']>().toBeUnknown();
  expect(john.address).toEqual({ type: 'support', key: 'john' });
});

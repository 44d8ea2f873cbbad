import type { ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { type ChannelInput, EventChannels, EventStream } from '@troupe/service-gateway/internal';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const LIMITS = { resumeMs: 60_000, resumeBytesMax: 33_554_432 };

/** A reader's end: what it got, as `name data`. */
class Reader {
  readonly #pipe = new PassThrough();
  readonly stream = new EventStream(this.#pipe as unknown as ServerResponse, 10_000_000, () => undefined);
  #text = '';

  get seen(): string[] {
    this.#text += this.#pipe.read()?.toString() ?? '';
    return [...this.#text.matchAll(/event: (\S+)\n(?:id: \S+\n)?data: (.*)\n/g)].map(
      ([, name, data]) => `${name} ${data}`,
    );
  }

  get ended(): boolean {
    return this.#pipe.writableEnded;
  }
}

/** A source that is driven by hand. */
class Source {
  channel: ChannelInput | undefined;
  started = 0;
  stopped = 0;
  readonly listen = (channel: ChannelInput) => {
    this.channel = channel;
    this.started++;
    return () => void this.stopped++;
  };

  say(...ids: string[]): void {
    for (const id of ids) this.channel!.push('said', id, id);
  }
}

const read = (channels: EventChannels, source: Source, lastId?: string, key = 'a') => {
  const reader = new Reader();
  const stop = channels.read(key, source.listen, reader.stream, lastId);
  reader.stream.onEnd(stop);
  return reader;
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a reader that comes back with the last event it saw', () => {
  test('gets what came since, also while nobody read, and goes on', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    const first = read(channels, source);
    source.say('1', '2');
    first.stream.end();
    source.say('3');
    const again = read(channels, source, '2');
    source.say('4');
    expect([first.seen, again.seen, source.started]).toEqual([['said "1"', 'said "2"'], ['said "3"', 'said "4"'], 1]);
  });

  test('is told of a gap where that event is not known', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    const reader = read(channels, source, 'never');
    source.say('1');
    expect(reader.seen).toEqual([expect.stringMatching(/^gap /), 'said "1"']);
  });

  test('after the end gets what it missed and the end once', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    const first = read(channels, source);
    source.say('1');
    first.stream.end();
    source.say('2');
    source.channel!.end('outcome', 'done');
    source.say('late');
    const again = read(channels, source, '1');
    expect([again.seen, again.ended]).toEqual([['said "2"', 'outcome "done"'], true]);
    const anew = read(channels, source);
    expect([anew.seen, anew.ended, source.stopped]).toEqual([['outcome "done"'], true, 1]);
  });

  test('too late finds its source stopped, and a new one', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    const first = read(channels, source);
    source.say('1');
    first.stream.end();
    vi.advanceTimersByTime(59_000);
    expect(source.stopped).toBe(0);
    vi.advanceTimersByTime(2_000);
    expect([source.stopped, channels.size]).toEqual([1, 0]);
    expect(read(channels, source, '1').seen).toEqual([expect.stringMatching(/^gap /)]);
  });

  test('is not cut off by the time of another that left before', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    read(channels, source).stream.end();
    const reader = read(channels, source);
    vi.advanceTimersByTime(120_000);
    source.say('1');
    expect(reader.seen).toEqual(['said "1"']);
  });
});

test('the first reader gets what its source says at once', () => {
  const channels = new EventChannels(LIMITS);
  const reader = new Reader();
  const speaksAtOnce = (channel: ChannelInput) => {
    channel.push('said', 1);
    channel.end('outcome', 2);
    return () => undefined;
  };
  channels.read('a', speaksAtOnce, reader.stream, undefined);
  expect([reader.seen, reader.ended]).toEqual([['said 1', 'outcome 2'], true]);
});

describe('what is kept', () => {
  test('is bounded for one stream: the oldest go, and their reader is told of a gap', () => {
    const [channels, source] = [new EventChannels(LIMITS), new Source()];
    const first = read(channels, source);
    source.say('first');
    first.stream.end();
    for (let i = 0; i < 20; i++) source.channel!.push('big', 'x'.repeat(100_000), `${i}`);
    const late = read(channels, source, 'first').seen;
    expect(late[0]).toMatch(/^gap /);
    expect(late.length).toBeLessThan(8);
    expect(read(channels, source, '18').seen).toHaveLength(1);
  });

  test('is bounded for all together: those that were opened first go first', () => {
    const channels = new EventChannels({ ...LIMITS, resumeBytesMax: 500_000 });
    const [one, two] = [new Source(), new Source()];
    read(channels, one, undefined, 'one').stream.end();
    read(channels, two, undefined, 'two').stream.end();
    one.channel!.push('big', 'x'.repeat(200_000), '1');
    two.channel!.push('big', 'x'.repeat(200_000), '1');
    two.say('2');
    expect(read(channels, one, '1', 'one').seen).toEqual([expect.stringMatching(/^gap /)]);
    expect(read(channels, two, '1', 'two').seen).toEqual(['said "2"']);
  });

  test('is for 256 sources without a reader: the one that was left first is stopped first', () => {
    const channels = new EventChannels(LIMITS);
    const sources = Array.from({ length: 257 }, () => new Source());
    for (const [at, source] of sources.entries()) read(channels, source, undefined, `${at}`).stream.end();
    expect([sources[0]!.stopped, sources[1]!.stopped, channels.size]).toEqual([1, 0, 256]);
  });
});

test('a source that may have missed something tells every reader, and those that come back', () => {
  const [channels, source] = [new EventChannels(LIMITS), new Source()];
  const reader = read(channels, source);
  source.say('1');
  channels.gap();
  source.say('2');
  const expected = [expect.stringMatching(/^gap /), 'said "2"'];
  expect([reader.seen.slice(1), read(channels, source, '1').seen]).toEqual([expected, expected]);
});

test('closing ends every reader and every source', () => {
  const [channels, source] = [new EventChannels(LIMITS), new Source()];
  const reader = read(channels, source);
  channels.close();
  expect([reader.ended, source.stopped, channels.size]).toEqual([true, 1, 0]);
});

import { assertSubject, createSubjects, isTroupeError } from '@troupe/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const john = { type: 'support', key: 'john.doe' };
const subjects = createSubjects();

describe('building subjects', () => {
  test.each([
    ['task', subjects.task(john), 'troupe.task.support.john=2Edoe'],
    ['signal', subjects.signal(john), 'troupe.signal.support.john=2Edoe'],
    ['ask', subjects.ask(john), 'troupe.ask.support.john=2Edoe'],
    ['query', subjects.query(john), 'troupe.query.support.john=2Edoe'],
    ['event', subjects.event(john), 'troupe.event.support.john=2Edoe'],
    ['out', subjects.out(john), 'troupe.out.support.john=2Edoe'],
    ['inspect', subjects.inspect(john), 'troupe.inspect.support.john=2Edoe'],
    ['stream', subjects.stream(john, 'hello-1'), 'troupe.stream.support.john=2Edoe.hello-1'],
    ['dead', subjects.dead(john, 17), 'troupe.dead.support.john=2Edoe.17'],
    ['dead without an address', subjects.dead(undefined, 17), 'troupe.dead.invalid.invalid.17'],
    ['snapshot', subjects.snapshot(5, john), 'troupe.snapshot.5.support.john=2Edoe'],
    ['tick set', subjects.tickSet(5, 7, john), 'troupe.tick.set.5.7.support.john=2Edoe'],
    ['tick due', subjects.tickDue(5, 7, john), 'troupe.tick.due.5.7.support.john=2Edoe'],
    ['parked', subjects.parked(5, john, 7), 'troupe.parked.5.support.john=2Edoe.7'],
    ['forward', subjects.forward(5, john), 'troupe.forward.5.support.john=2Edoe'],
    ['control', subjects.control('drain'), 'troupe.control.drain'],
    ['control of one worker', subjects.control('drain', 'w_1'), 'troupe.control.drain.w_1'],
    ['stored', subjects.stored(5, 'task', john), 'troupe.journal.5.task.support.john=2Edoe'],
  ])('%s is %s', (_, subject, expected) => {
    expect(subject).toBe(expected);
  });

  test('filters cover what they say', () => {
    expect(subjects.every('out')).toBe('troupe.out.>');
    expect(subjects.ofType('task', 'support')).toBe('troupe.task.support.>');
    expect(subjects.ofPartition('journal', 5)).toBe('troupe.journal.5.>');
    expect(subjects.ticksOf('due', 5)).toBe('troupe.tick.due.5.>');
    expect(subjects.deadOf(john)).toBe('troupe.dead.support.john=2Edoe.*');
    expect(subjects.streamsOf(john)).toBe('troupe.stream.support.john=2Edoe.*');
    expect(subjects.storedOf(5, john)).toBe('troupe.journal.5.*.support.john=2Edoe');
    expect(subjects.journalFilters(5)).toEqual(['troupe.journal.5.>']);
  });

  test('the reader of partition 0 also gets what the transform did not match (invariant 3)', () => {
    expect(subjects.journalFilters(0)).toEqual(['troupe.journal.0.>', 'troupe.task.>', 'troupe.signal.>']);
  });

  test('a prefix of several tokens moves everything below it', () => {
    expect(createSubjects('acme.prod').task(john)).toBe('acme.prod.task.support.john=2Edoe');
    expect(createSubjects('acme.prod').journalTransform(8)).toEqual({
      src: 'acme.prod.*.*.*',
      dest: 'acme.prod.journal.{{partition(8,2,3)}}.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}',
    });
  });

  test.each(['', '.', 'a.', 'a b', 'a.*', '>', 'a.b.c.d.e', 'x'.repeat(33), '$SYS'])(
    'the prefix %j is refused',
    (prefix) => {
      expect(() => createSubjects(prefix)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }));
    },
  );

  test('whatever type and key are, the result is a valid subject or a refusal (invariant 1)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (type, key) => {
        for (const address of [
          { type, key },
          { type: 'support', key },
        ]) {
          let subject: string;
          try {
            subject = subjects.task(address);
          } catch (error) {
            expect(isTroupeError(error)).toBe(true);
            continue;
          }
          expect(subject.split('.')).toHaveLength(4);
          expect(assertSubject(subject)).toBe(subject);
        }
      }),
    );
  });

  test('parts that would break out of their token are refused', () => {
    expect(() => subjects.stream(john, 'a.b')).toThrow(expect.objectContaining({ code: 'InvalidTaskId' }));
    expect(() => subjects.control('a.b')).toThrow(expect.objectContaining({ code: 'InvalidSubject' }));
    expect(() => subjects.control('drain', '>')).toThrow(expect.objectContaining({ code: 'InvalidSubject' }));
    expect(() => subjects.dead(john, 1.5)).toThrow(expect.objectContaining({ code: 'InvalidSubject' }));
    expect(() => subjects.snapshot(-1, john)).toThrow(expect.objectContaining({ code: 'InvalidSubject' }));
    expect(() => subjects.ofType('task', '*')).toThrow(expect.objectContaining({ code: 'InvalidType' }));
    expect(() => subjects.journalTransform(0)).toThrow(expect.objectContaining({ code: 'ConfigInvalid' }));
  });
});

describe('assertSubject', () => {
  test.each(['a', 'a.b', 'troupe.task.support.jörg', '_INBOX.x.y', '$JS.API.INFO'])(
    '%j can be published to',
    (subject) => {
      expect(assertSubject(subject)).toBe(subject);
    },
  );

  test.each([
    '',
    '.',
    '.a',
    'a.',
    'a..b',
    'a b',
    'a\tb',
    'a\r\nPUB x 0',
    'a\u0000',
    'a.*',
    'a.>',
    'a*',
    'x'.repeat(2_049),
  ])('%j can not', (subject) => {
    expect(() => assertSubject(subject)).toThrow(expect.objectContaining({ code: 'InvalidSubject' }));
  });
});

describe('reading subjects', () => {
  test('a stored subject gives partition, verb and tokens', () => {
    expect(subjects.parseStored('troupe.journal.5.task.support.john=2Edoe')).toEqual({
      partition: 5,
      verb: 'task',
      type: 'support',
      keyToken: 'john=2Edoe',
      matched: true,
    });
  });

  test.each([
    ['troupe.task.support.john.doe', 'support', 'john.doe'],
    ['troupe.task.support', 'support', ''],
    ['troupe.task.a.b.c.d', 'a', 'b.c.d'],
  ])('%s, which the transform does not match, is read as partition 0', (subject, type, keyToken) => {
    expect(subjects.parseStored(subject)).toEqual({ partition: 0, verb: 'task', type, keyToken, matched: false });
  });

  test.each([
    'other.journal.5.task.a.b',
    'troupe.journal.x.task.a.b',
    'troupe.journal.05.task.a.b',
    'troupe.journal.5.ask.a.b',
    'troupe.journal.5.task.a',
    'troupe.journal.5.task.a.b.c',
    'troupe.event.a.b.c',
    'troupe',
    '',
  ])('%j is no stored subject of ours', (subject) => {
    expect(subjects.parseStored(subject)).toBeUndefined();
  });

  test.each([
    [subjects.ask(john), 'ask'],
    [subjects.query(john), 'query'],
    [subjects.out(john), 'out'],
    [subjects.stream(john, 't'), 'stream'],
    [subjects.dead(john, 1), 'dead'],
    [subjects.snapshot(3, john), 'snapshot'],
    [subjects.tickDue(3, 7, john), 'tick'],
    [subjects.parked(3, john, 7), 'parked'],
    [subjects.forward(3, john), 'forward'],
  ])('%s names its actor', (subject, verb) => {
    expect(subjects.parseActor(subject)).toEqual({ verb, type: 'support', keyToken: 'john=2Edoe' });
  });

  test.each([
    'troupe.ask.a',
    'troupe.ask.a.b.c',
    'troupe.control.ping.w',
    'troupe.bogus.a.b',
    'x.ask.a.b',
    'troupe.stream.a.b',
  ])('%s names none', (subject) => {
    expect(subjects.parseActor(subject)).toBeUndefined();
  });

  test('reading never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        subjects.parseStored(text);
        subjects.parseStored(`troupe.${text}`);
        subjects.parseActor(`troupe.${text}`);
      }),
    );
  });
});

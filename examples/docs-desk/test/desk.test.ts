/** The three kinds of agents together, in memory: what a person at the desk sees. */
import { deskAgent, directoryAgent, librarianAgent } from '@troupe/example-docs-desk';
import { startTroupe } from '@troupe/testing';
import { describe, expect, test } from 'vitest';

const actors = [deskAgent, directoryAgent, librarianAgent];
type Troupe = Awaited<ReturnType<typeof startTroupe>>;

const document = (file: string, text: string) => ({ type: 'document' as const, file, text, hash: text });

/** Two librarians that have read something. */
async function startDesk(): Promise<Troupe> {
  const troupe = await startTroupe({ actors });
  await troupe
    .actor(librarianAgent, 'pino')
    .ask(document('docs/redaction.md', '# Redaction\n\nSecrets are redacted by path.'));
  await troupe
    .actor(librarianAgent, '@scope/log')
    .ask(document('README.md', '# Log\n\nIt logs. Secrets are not redacted.'));
  await troupe.settle();
  return troupe;
}

describe('a desk', () => {
  test('remembers a name', async () => {
    await using troupe = await startDesk();
    const john = troupe.actor(deskAgent, 'john');
    expect((await john.ask('What is my name?')).text).toBe("You haven't told me your name yet.");
    expect((await john.ask('My name is John')).text).toBe('Hello John.');
    expect((await john.ask('What is my name?')).text).toBe('John');
    expect((await troupe.actor(deskAgent, 'ann').ask('What is my name?')).text).not.toContain('John');
  });

  test('remembers a name after the worker was killed', async () => {
    await using troupe = await startDesk();
    await troupe.actor(deskAgent, 'john').ask('My name is John');
    troupe.kill();
    await troupe.restart();
    expect((await troupe.actor(deskAgent, 'john').ask('What is my name?')).text).toBe('John');
  });

  test('asks several librarians and answers with package, file and line', async () => {
    await using troupe = await startDesk();
    const answer = await troupe.actor(deskAgent, 'john').ask('How do I redact secrets?');
    expect([...answer.asked].sort()).toEqual(['@scope/log', 'pino']);
    expect(answer.passages[0]).toMatchObject({
      librarian: 'pino',
      file: 'docs/redaction.md',
      line: 3,
      heading: 'Redaction',
    });
    expect(answer.passages).toHaveLength(2);
    expect(answer.text).toContain('pino docs/redaction.md:3 (Redaction)');
    expect(answer.silent).toEqual([]);
  });

  test('takes words that every object has for words', async () => {
    await using troupe = await startDesk();
    await troupe.actor(librarianAgent, 'pino').ask(document('a.md', '# Prototype\n\nThe constructor has a prototype.'));
    await troupe.settle();
    const answer = await troupe
      .actor(deskAgent, 'john')
      .ask('Does the constructor have a prototype, hasOwnProperty, __proto__?');
    expect(answer.passages[0]).toMatchObject({ librarian: 'pino', file: 'a.md' });
  });

  test('says so when nobody knows', async () => {
    await using troupe = await startDesk();
    const answer = await troupe.actor(deskAgent, 'john').ask('quantum gravity');
    expect(answer).toMatchObject({ passages: [], asked: [] });
    expect(answer.text).toContain('quantum gravity');
  });

  test('remembers what it was asked', async () => {
    await using troupe = await startDesk();
    const john = troupe.actor(deskAgent, 'john');
    await john.ask('How do I redact secrets?');
    await john.ask('quantum gravity');
    expect((await john.ask('What did I ask?')).text).toBe('1. How do I redact secrets?\n2. quantum gravity');
  });

  test('takes the next question while one is being answered', async () => {
    await using troupe = await startDesk();
    const john = troupe.actor(deskAgent, 'john');
    const answers = await Promise.all([
      john.ask('How do I redact secrets?'),
      john.ask('My name is John'),
      john.ask('What is my name?'),
    ]);
    expect(answers.map(({ asked }) => asked.length)).toEqual([2, 0, 0]);
    expect(answers[2]?.text).toBe('John');
  });

  test('a question that is none is refused, and the next one is answered', async () => {
    await using troupe = await startDesk();
    const john = troupe.actor(deskAgent, 'john');
    await expect(john.ask('')).rejects.toMatchObject({ code: 'InvalidPayload' });
    expect((await john.ask('My name is John')).text).toBe('Hello John.');
  });
});

describe('a librarian', () => {
  test('is told a file twice and keeps it once', async () => {
    await using troupe = await startDesk();
    const pino = troupe.actor(librarianAgent, 'pino');
    const again = await pino.ask(document('docs/redaction.md', '# Redaction\n\nSecrets are redacted by path.'));
    expect(again).toMatchObject({ kind: 'shelved', known: true });
    expect((await pino.snapshot()).context.sections).toHaveLength(1);
  });

  test('answers a question of its own', async () => {
    await using troupe = await startDesk();
    const answer = await troupe.actor(librarianAgent, 'pino').ask('secrets');
    expect(answer).toMatchObject({ kind: 'passages', passages: [{ file: 'docs/redaction.md', line: 3 }], leftOut: 0 });
  });

  test('is no longer asked about a file that it has forgotten', async () => {
    await using troupe = await startDesk();
    await troupe.actor(librarianAgent, 'pino').ask({ type: 'forget', file: 'docs/redaction.md' });
    await troupe.settle();
    expect((await troupe.actor(deskAgent, 'john').ask('How do I redact secrets?')).asked).toEqual(['@scope/log']);
    expect(await troupe.actor(directoryAgent, 'main').ask({ type: 'catalogue' })).toMatchObject({
      librarians: [{ librarian: '@scope/log', files: { 'README.md': expect.any(String) } }],
      sections: 1,
    });
  });
});

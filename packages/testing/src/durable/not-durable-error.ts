/** What `expectDurable` throws: the shortest sequence that fails, what differs, what the reason is likely to be. */
import type { Failure, FailureCause } from './check-script.ts';
import { describeOperation, type Operation } from './script.ts';

const REASONS: Readonly<Record<FailureCause, string>> = {
  'outside state':
    'A second fold of the same entries in the same process came out otherwise. An assign, guard, input or delay reads or changes something outside of its arguments: a variable of the module, a cache, a closure. Keep it in the context, or get it through an invoked promise, whose outcome is an entry. (Date.now, new Date, Math.random and crypto.randomUUID are fine.)',
  environment:
    'A fold in another environment came out otherwise. An assign, guard, input or delay reads process.env, the time zone, or another property of the process. Put it into the input of the machine, or into an event.',
  'lost in storage':
    'The state did not survive being stored and read. Keep plain data in the context: objects, lists, Map, Set, Date, typed arrays; no class instances, functions or shared references.',
  'other effects':
    'The same entries asked for other effects. An action or its parameters read something outside of their arguments.',
  refused: 'The machine asks for something that no worker can do durably.',
};

export class NotDurableError extends Error {
  override readonly name = 'NotDurableError';
  /** The shortest sequence that fails. */
  readonly sequence: readonly Operation[];
  readonly reason: FailureCause;
  /** Hand it to `expectDurable` to get the same run again. */
  readonly seed: number;

  constructor(type: string, sequence: readonly Operation[], failure: Failure, seed: number) {
    super(messageOf(type, sequence, failure, seed));
    this.sequence = sequence;
    this.reason = failure.cause;
    this.seed = seed;
  }
}

function messageOf(type: string, sequence: readonly Operation[], failure: Failure, seed: number): string {
  const { at, cause, difference, message } = failure;
  const steps = sequence.map(
    (operation, i) => `  ${i + 1}. ${describeOperation(operation)}${i === at ? '   <- here' : ''}`,
  );
  const seen =
    difference === undefined
      ? message
      : `${difference.path} is ${difference.first} in the first fold, ${difference.second} in the second.`;
  return [
    `The machine of '${type}' is not durable. The shortest sequence that shows it:`,
    ...steps,
    '',
    ...(seen === undefined ? [] : [seen, '']),
    REASONS[cause],
    '',
    `Again: expectDurable(machine, { seed: ${seed}, runs: 1 })`,
  ].join('\n');
}

/**
 * What the machine driver throws of its own. Every class has a `code` equal to its name, and a message that names the
 * thing, what was seen, and what to do next. What a machine's own code throws is passed on as it is.
 */

class MachineError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: { readonly cause: unknown }) {
    super(message, cause);
    this.name = code;
    this.code = code;
  }
}

/** A machine starts logic that could not be found again after a restart, because no name in `setup` leads to it. */
export class AnonymousLogic extends MachineError {
  constructor(what: string, machineId: string) {
    super(
      'AnonymousLogic',
      `${what} in machine '${machineId}' has no name, so it could not be found again after a restart. Register it in setup({ actors: { name: logic } }) and start it by that name.`,
    );
  }
}

/** A machine names logic that its `setup` does not have. */
export class UnknownLogic extends MachineError {
  constructor(src: string, machineId: string) {
    super(
      'UnknownLogic',
      `Machine '${machineId}' starts '${src}', which is not among its actors. Add it to setup({ actors: { '${src}': ... } }).`,
    );
  }
}

/** An error event reached the root machine and no transition took it. `cause` is the original error. */
export class UnhandledError extends MachineError {
  constructor(machineId: string, cause: unknown) {
    super(
      'UnhandledError',
      `Machine '${machineId}' got an error that no state handles: ${describeError(cause)}. Add onError to the invoke, or a transition for 'xstate.error.actor.<id>'.`,
      { cause },
    );
  }
}

/** A state holds a value that can't be written to storage. */
export class NotStorable extends MachineError {
  /** Where in the state, for example `context.messages[3].done`. */
  readonly path: string;

  constructor(path: string, what: string) {
    super(
      'NotStorable',
      `The state holds ${what} at ${path}, which can't be stored. Keep plain data there (objects, arrays, Map, Set, Date, Error, typed arrays) and make the rest again from it.`,
    );
    this.path = path;
  }
}

/** A path that names no child of this state. */
export class UnknownChild extends MachineError {
  constructor(path: string, known: readonly string[]) {
    const there = known.length === 0 ? 'there are no children' : `there are '${known.join("', '")}'`;
    super('UnknownChild', `No child is at '${path}': ${there}. Check with hasChild() before.`);
  }
}

/** A step did not come to rest. */
export class EndlessStep extends MachineError {
  constructor(machineId: string, what: string) {
    super(
      'EndlessStep',
      `Machine '${machineId}' did not come to rest after ${what}. Look for states whose 'always' or raised events lead back to them, or children that answer each other.`,
    );
  }
}

/** A stored state that this driver can't read. */
export class UnreadableState extends MachineError {
  constructor(machineId: string, why: string) {
    super(
      'UnreadableState',
      `The stored state of machine '${machineId}' can't be read: ${why}. If the machine changed, give its definition a new version and a migration.`,
    );
  }
}

function describeError(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return typeof error === 'object' && error !== null ? Object.prototype.toString.call(error) : String(error);
}

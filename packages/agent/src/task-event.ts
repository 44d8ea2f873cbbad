/** The event in which a task that isn't an event itself reaches the machine. */
import type { ActorAddress } from '@troupe/wire';

/**
 * A task with input of type `TInput`. `task` is set by Troupe, never by the sender.
 *
 * @example setup({ types: { events: {} as TaskEvent<string> | { type: 'approve' } } })
 */
export interface TaskEvent<TInput = unknown> {
  type: 'task';
  input: TInput;
  task: TaskInfo;
}

/** Which task it is. */
export interface TaskInfo {
  /** As chosen by the client, else the journal sequence. */
  id: string;
  /** When it was accepted, Unix ms. */
  at: number;
  /** The asking actor; absent for tasks from outside. */
  from?: ActorAddress;
}

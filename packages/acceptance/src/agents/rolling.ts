/** One type in three versions; its state tells which code folded each task, and where it was migrated. */
import { type ActorDefinition, defineAgent, reply, type StoredState, type TaskEvent } from '@troupe/agent';
import { assign, setup } from 'xstate';

/** What a state holds, in order: `fold` of a task by a version, `migrated` to a version. */
export type Trace = readonly ({ readonly by: number; readonly task: number } | { readonly migrated: number })[];

const machineOf = (version: number) =>
  setup({ types: { context: {} as { trace: Trace }, events: {} as TaskEvent<number> } }).createMachine({
    context: { trace: [] },
    on: {
      task: {
        actions: [
          assign({ trace: ({ context, event }) => [...context.trace, { by: version, task: event.input }] }),
          reply(() => version),
        ],
      },
    },
  });

const migrateTo =
  (version: number) =>
  (state: StoredState): StoredState => ({
    ...state,
    context: { trace: [...(state.context as { trace: Trace }).trace, { migrated: version }] },
  });

const migrate = { 1: migrateTo(2), 2: migrateTo(3) };

export const rollingV1 = defineAgent({ type: 'rolling', version: 1, machine: machineOf(1) });
export const rollingV2 = defineAgent({
  type: 'rolling',
  version: 2,
  machine: machineOf(2),
  migrate: { 1: migrate[1] },
  previous: [rollingV1] satisfies ActorDefinition[],
});
export const rollingV3 = defineAgent({
  type: 'rolling',
  version: 3,
  machine: machineOf(3),
  migrate,
  previous: [rollingV2, rollingV1],
});

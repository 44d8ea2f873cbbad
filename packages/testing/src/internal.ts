/** For our own packages: the simulation. */
export { runSimulate } from './simulation/main.ts';
export { type Plan, planOf } from './simulation/plan.ts';
export { shrinkPlan } from './simulation/shrink-plan.ts';
export { type SimulateOptions, type SimulateSummary, simulate } from './simulation/simulate.ts';
export { GUARDS, type GuardName } from './simulation/switches.ts';
export { THEMES, type ThemeName } from './simulation/themes.ts';
export { runWorld, type WorldReport } from './simulation/world.ts';

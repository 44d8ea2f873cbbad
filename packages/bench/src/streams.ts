/** How the benchmarks lay out streams. */
import { type NatsConfig, resolveConfig } from '@troupe/nats';

/** One journal for all types, or one for each. */
export function configFor(types: readonly string[], separate: boolean): NatsConfig {
  return resolveConfig(separate ? { journals: types.map((type) => ({ types: [type] })) } : {});
}

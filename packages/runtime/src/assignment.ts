/**
 * Which live worker a partition belongs to: highest random weight, so that a worker that joins or
 * leaves moves only its own share (Thaler and Ravishankar, "A Name-Based Mapping Scheme for
 * Rendezvous", 1996).
 */
import { hash53 } from '@troupe/wire';

/**
 * @returns the id of the worker, or undefined without any.
 * @example ownerOf(3, ['a', 'b'])
 */
export function ownerOf(partition: number, workers: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const worker of workers) {
    const weight = hash53(`${worker}:${partition}`);
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && worker < best)) {
      best = worker;
      bestWeight = weight;
    }
  }
  return best;
}

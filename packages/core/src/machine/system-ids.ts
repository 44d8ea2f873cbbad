/** System ids during a step: the state's own, copied at the first change. */
import type { NodeRef } from './node-ref.ts';

export class SystemIds {
  readonly #before: ReadonlyMap<string, NodeRef> | undefined;
  #changed: Map<string, NodeRef> | undefined;

  constructor(before: ReadonlyMap<string, NodeRef> | undefined) {
    this.#before = before;
    this.#changed = undefined;
  }

  get(systemId: string): NodeRef | undefined {
    return (this.#changed ?? this.#before)?.get(systemId);
  }

  all(): Record<string, NodeRef> {
    return Object.fromEntries(this.#changed ?? this.#before ?? []);
  }

  /** @throws Error as XState does, when another node has it */
  claim(systemId: string, ref: NodeRef): void {
    const holder = this.get(systemId);
    if (holder === ref) return;
    if (holder !== undefined) throw new Error(`Actor with system ID '${systemId}' already exists.`);
    this.#own().set(systemId, ref);
  }

  release(ref: NodeRef): void {
    if (ref.systemId === undefined || this.get(ref.systemId) !== ref) return;
    this.#own().delete(ref.systemId);
  }

  #own(): Map<string, NodeRef> {
    this.#changed ??= new Map(this.#before);
    return this.#changed;
  }
}

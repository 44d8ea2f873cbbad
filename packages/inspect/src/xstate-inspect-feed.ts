/**
 * Troupe for `@xstate/inspect` 0.8: the `service.*` messages that its `createWebSocketReceiver` reads, with the machine as
 * XState 4 writes it.
 *
 * Invariants
 * 1. A service is registered before anything else is said of it; while its machine is looked up, at most `HELD_MAX`
 *    messages of it are held back.
 * 2. The receiver's `xstate.inspecting` begins it all again. Nothing else that it sends is obeyed: an inspector only looks.
 */
import {
  type InspectedSnapshot,
  type InspectionEvent,
  type MachineBody,
  type MachineStructure,
  machineConfig,
} from '@troupe/wire';
import { Outbound } from './outbound.ts';
import type { FeedOptions } from './stately-feed.ts';
import type { StructureOf } from './structure-of.ts';
import { watchActors } from './watch.ts';

export interface XStateInspectFeedOptions extends FeedOptions {
  readonly structureOf: StructureOf;
}

const HELD_MAX = 64;
const SERVICES_MAX = 10_000;

interface Service {
  readonly sessionId: string;
  /** Messages held back until it is registered; undefined afterwards. */
  held: object[] | undefined;
  hasStopped: boolean;
  /** As last seen, to be registered again. */
  latest: InspectedSnapshot;
}

/**
 * Sends what happens to an old inspector, from now on until closed. `receive` takes what it sends.
 *
 * @example
 * const feed = createXStateInspectFeed({ bus, subjects, socket, structureOf });
 * socket.on('message', (data) => feed.receive(String(data)));
 */
export function createXStateInspectFeed(options: XStateInspectFeedOptions): {
  receive(text: string): void;
  close(): void;
  readonly dropped: number;
} {
  const { socket, structureOf, ...watched } = options;
  const feed = new Feed(new Outbound(socket), structureOf);
  const watch = watchActors({ ...watched, onEvent: (event) => feed.take(event) });
  return {
    receive: (text) => feed.receive(text),
    close: () => watch.close(),
    get dropped() {
      return feed.out.dropped;
    },
  };
}

class Feed {
  readonly out: Outbound;
  readonly #structureOf: StructureOf;
  readonly #services = new Map<string, Service>();

  constructor(out: Outbound, structureOf: StructureOf) {
    this.out = out;
    this.#structureOf = structureOf;
  }

  take(event: InspectionEvent): void {
    const known = this.#services.get(event.sessionId);
    // A child of the same name may begin again.
    if (known?.hasStopped === true && event.type !== '@xstate.actor') return;
    const service = known === undefined || known.hasStopped ? this.#register(event) : known;
    if (event.type === '@xstate.event') this.#say(service, serviceEvent(event.sessionId, event.event));
    if (event.type !== '@xstate.snapshot') return;
    service.latest = event.snapshot;
    const state = stateText(event.sessionId, event.snapshot, event.event);
    this.#say(service, { type: 'service.state', state, sessionId: event.sessionId });
    if (event.snapshot.status === 'active' || event.snapshot.status === undefined) return;
    this.#say(service, { type: 'service.stop', sessionId: event.sessionId });
    service.hasStopped = true;
  }

  /** Invariant 2. */
  receive(text: string): void {
    try {
      if ((JSON.parse(text) as { readonly type?: unknown } | null)?.type !== 'xstate.inspecting') return;
    } catch {
      return;
    }
    const services = [...this.#services.values()].filter(({ hasStopped }) => !hasStopped);
    for (const service of services) {
      service.held = [];
      void this.#introduce(service);
    }
  }

  #register({ sessionId, ...event }: InspectionEvent): Service {
    if (this.#services.size >= SERVICES_MAX) this.#services.clear();
    const latest = 'snapshot' in event ? event.snapshot : { status: 'active' };
    const service: Service = { sessionId, held: [], hasStopped: false, latest };
    this.#services.set(sessionId, service);
    void this.#introduce(service);
    return service;
  }

  #say(service: Service, message: object): void {
    if (service.held === undefined) this.out.send(message);
    else if (service.held.push(message) > HELD_MAX) service.held.shift();
  }

  async #introduce(service: Service): Promise<void> {
    const { sessionId } = service;
    const { rootId, path } = partsOf(sessionId);
    const structure = await this.#structureOf(rootId.slice(0, Math.max(0, rootId.indexOf('/'))));
    const name = path.at(-1) ?? rootId;
    this.out.send({
      type: 'service.register',
      machine: JSON.stringify(configOf(structure, path, name)),
      state: stateText(sessionId, service.latest, { type: 'xstate.init' }),
      id: name,
      sessionId,
      ...(path.length === 0 ? {} : { parent: path.length === 1 ? rootId : `${rootId}#${path.slice(0, -1).join('/')}` }),
    });
    const held = service.held ?? [];
    service.held = undefined;
    for (const message of held) this.out.send(message);
  }
}

/** `order/42#pay/card` is the child `card` of the child `pay` of the actor. */
function partsOf(sessionId: string): { readonly rootId: string; readonly path: readonly string[] } {
  const at = sessionId.lastIndexOf('#');
  return at < 0
    ? { rootId: sessionId, path: [] }
    : { rootId: sessionId.slice(0, at), path: sessionId.slice(at + 1).split('/') };
}

/** The machine of a session; children that are no machines have one without states. */
function configOf(structure: MachineStructure | undefined, path: readonly string[], name: string): object {
  let body: MachineBody | undefined = structure;
  for (const id of path) body = body && machineInvokedAs(body, id);
  return body === undefined ? { id: name } : machineConfig(body, 4);
}

function machineInvokedAs(body: MachineBody, id: string): MachineBody | undefined {
  const states = [body.root];
  for (let state = states.pop(); state !== undefined; state = states.pop()) {
    const invoked = state.invokes.find((one) => one.id === id);
    if (invoked !== undefined) return body.actors[invoked.src]?.machine;
    states.push(...state.states);
  }
  return body.actors[id]?.machine;
}

function serviceEvent(sessionId: string, event: { readonly type: string }): object {
  return { type: 'service.event', event: JSON.stringify(scxml(event)), sessionId };
}

/** A state as XState 4 writes it. */
function stateText(sessionId: string, snapshot: InspectedSnapshot, event: { readonly type: string }): string {
  return JSON.stringify({
    value: snapshot.value ?? {},
    context: snapshot.context,
    event,
    _event: scxml(event),
    _sessionid: sessionId,
    actions: [],
    activities: {},
    meta: {},
    events: [],
    configuration: [],
    transitions: [],
    children: {},
    done: snapshot.status === 'done',
    tags: [],
  });
}

function scxml(event: { readonly type: string }): object {
  return { name: event.type, data: event, $$type: 'scxml', type: 'external' };
}

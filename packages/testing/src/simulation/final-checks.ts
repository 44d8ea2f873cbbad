/** What must be true once everything has come to its end. */

import type { ClerkContext } from './clerk.ts';
import type { Client, ClientTask } from './client.ts';
import type { Oracle } from './oracle.ts';
import { REMEMBER_MS } from './plan.ts';
import type { Violations } from './violations.ts';

/** Clocks of servers and clients differ by so much at most, ms; what was sent so close to its end may be refused. */
const CLOCKS_MS = 5_000;

export function checkEnd(oracle: Oracle, clients: readonly Client[], violations: Violations): void {
  const contexts = new Map<string, ClerkContext>();
  for (const [name, actor] of oracle.actors) {
    const context = oracle.contextOf(actor);
    if (context !== undefined) contexts.set(name, context);
  }
  checkTasks(contexts, clients, oracle, violations);
  checkTold(contexts, violations);
  checkReminders(contexts, violations);
}

function checkTasks(
  contexts: Map<string, ClerkContext>,
  clients: readonly Client[],
  oracle: Oracle,
  violations: Violations,
): void {
  const applied = new Map<string, number>();
  for (const { applied: ids } of contexts.values()) for (const id of ids) applied.set(id, (applied.get(id) ?? 0) + 1);
  for (const [id, count] of applied) if (count > 1) violations.add('a task or ask applied twice', `${id}: ${count}`);
  for (const client of clients) {
    for (const task of client.tasks.values()) checkTask(task, applied.get(task.planned.id) ?? 0, oracle, violations);
    checkOrder(client, contexts, violations);
  }
}

function checkTask(task: ClientTask, count: number, oracle: Oracle, violations: Violations): void {
  const { id } = task.planned;
  if (!task.acknowledged) return;
  if (task.outcome === undefined && !task.late) violations.add('an acknowledged task without outcome', id);
  if (task.outcome === 'MailboxFull') {
    if (count > 0) violations.add('a refused task took effect', id);
    return;
  }
  const late = task.late && (couldBeLate(task, oracle.firstStored.get(id) ?? 0) || oracle.refused.has(id));
  if (count === 0 && !late) violations.add('an acknowledged task lost', `${id}: ${task.outcome}`);
}

/** Tasks that one client had acknowledged one after the other take effect in that order. */
function checkOrder(client: Client, contexts: Map<string, ClerkContext>, violations: Violations): void {
  const byKey = new Map<string, string[]>();
  for (const { planned, outcome, late } of client.acknowledged) {
    if (outcome === 'MailboxFull' || late) continue;
    byKey.set(planned.key, [...(byKey.get(planned.key) ?? []), planned.id]);
  }
  for (const [key, ids] of byKey) {
    const wanted = new Set(ids);
    const seen = (contexts.get(`clerk/${key}`)?.applied ?? []).filter((id) => wanted.has(id));
    if (seen.join() !== ids.join()) violations.add("a client's order broken", `${key}: ${ids.join()}; ${seen.join()}`);
  }
}

/** Everything told is heard, once, and in its order. */
function checkTold(contexts: Map<string, ClerkContext>, violations: Violations): void {
  for (const sender of contexts.values()) {
    for (const [to, count] of Object.entries(sender.told)) {
      const heard = (contexts.get(`clerk/${to}`)?.heard ?? []).filter((one) => one.startsWith(`${sender.key}#`));
      const wanted = Array.from({ length: count }, (_, at) => `${sender.key}#${at + 1}`);
      if (heard.join() === wanted.join()) continue;
      const unique = new Set(heard);
      const kind =
        heard.length > unique.size
          ? 'a message applied twice'
          : unique.size < count
            ? 'a message to an actor lost'
            : 'the order of messages broken';
      violations.add(kind, `${sender.key} to ${to}: ${count} told, heard ${heard.join()}`);
    }
  }
}

/** Every timer fires once, unless it was taken back. */
function checkReminders(contexts: Map<string, ClerkContext>, violations: Violations): void {
  for (const { key, set, fired, forgotten } of contexts.values()) {
    const times = new Map<string, number>();
    for (const id of fired) times.set(id, (times.get(id) ?? 0) + 1);
    for (const id of set) {
      const count = times.get(id) ?? 0;
      if (count > 1) violations.add('a timer fired twice', `${key}: ${id}`);
      if (count === 0 && !forgotten.includes(id)) violations.add('a timer never fired', `${key}: ${id}`);
    }
  }
}

/** Whether a task that was refused as too late could have been so. */
function couldBeLate(task: ClientTask, storedAt: number): boolean {
  return storedAt > task.createdAt + REMEMBER_MS - CLOCKS_MS;
}

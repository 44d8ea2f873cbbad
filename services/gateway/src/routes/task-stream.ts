/** Progress and end of one turn, as events: followed on the bus, or told by the ask that sent the task. */
import type { ActorRef, AskOptions, Progress } from '@troupe/client';
import { type ActorAddress, assertTaskId, decodeOutcome, decodePayload, formatAddress, HEADERS } from '@troupe/wire';
import type { GatewayContext } from '../context.ts';
import type { ChannelInput, ChannelSource } from '../http/event-channels.ts';
import { aboutTask, errorBody } from '../http/http-error.ts';

/** The name under which a cut reader finds its stream again. */
export function taskChannel(address: ActorAddress, taskId: string): string {
  return `task ${formatAddress(address)} ${assertTaskId(taskId)}`;
}

/** Of a task that somebody sent: what is said from now on, then its outcome. */
export function followTask(context: GatewayContext, address: ActorAddress, taskId: string): ChannelSource {
  return (channel) => {
    const { ports, subjects, troupe } = context;
    const progress = ports.bus.subscribe(subjects.stream(address, taskId), {}, (message) => {
      const chunk = decodePayload(message.payload, message.header(HEADERS.contentType)).value;
      const n = Number(message.header(HEADERS.streamSeq) ?? 0);
      pushProgress(channel, { chunk, n, effectId: message.header(HEADERS.effectId) });
    });
    const ended = ports.bus.subscribe(subjects.out(address), {}, (message) => {
      if (message.header(HEADERS.taskId) !== taskId) return;
      const { outcome } = decodeOutcome(message);
      channel.end(outcome.ok ? 'outcome' : 'error', outcome.ok ? { taskId, output: outcome.value } : outcome.error);
    });
    const stopped = new AbortController();
    // It may have ended before anybody listened.
    troupe
      .actor(address.type, address.key)
      .outcome(taskId, { signal: stopped.signal })
      .then(
        (view) => {
          if (view.status !== 'ended') return;
          if (view.ok) channel.end('outcome', { taskId, output: view.value });
          else channel.end('error', errorBody(view.error).body);
        },
        () => undefined,
      );
    return () => {
      stopped.abort();
      progress.close();
      ended.close();
    };
  };
}

/** Sends the task, and tells what it says and how it ends. It goes on while its reader is away, until its channel is closed. */
export function askFor(
  actor: ActorRef,
  input: unknown,
  options: AskOptions & { readonly taskId: string },
  answer: (output: unknown) => object,
  named: boolean,
): ChannelSource {
  return (channel) => {
    // Who did not name the task learns its name first, to find it again.
    if (!named) channel.push('task', { actor: formatAddress(actor.address), taskId: options.taskId }, 'task');
    const stopped = new AbortController();
    actor
      .ask(input, {
        ...options,
        signal: stopped.signal,
        onProgress: (progress) => pushProgress(channel, progress),
      })
      .then(
        (output) => channel.end('outcome', answer(output)),
        (error: unknown) => channel.end('error', errorBody(aboutTask(error, options.taskId)).body),
      );
    return () => stopped.abort();
  };
}

/** Numbers begin anew with each effect, so the effect is part of the name. */
function pushProgress(channel: ChannelInput, { chunk, n, effectId }: Progress): void {
  const effect = /@(\d+\.\d+)$/.exec(effectId ?? '')?.[1] ?? '0';
  channel.push('progress', { chunk, n, effectId }, `${effect}:${n}`);
}

/** What the server says about its streams, through its own API. */
import type { OpenPorts } from '@troupe/service-worker';
import { TroupeError } from '@troupe/wire';

/** As much of a stream as the commands look at. */
export interface StreamInfo {
  readonly config: {
    readonly name: string;
    readonly subjects?: readonly string[];
    readonly max_bytes?: number;
    readonly num_replicas?: number;
    readonly storage?: string;
    readonly subject_transform?: { readonly src?: string; readonly dest?: string };
    readonly [field: string]: unknown;
  };
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
  };
}

const TIMEOUT_MS = 3_000;
const NOT_FOUND = 404;

/** A stream; undefined when there is none of that name. */
export async function readStream(open: OpenPorts, name: string): Promise<StreamInfo | undefined> {
  const answer = await callApi(open, `STREAM.INFO.${name}`);
  if ((answer.error as { code?: number } | undefined)?.code === NOT_FOUND) return undefined;
  if (answer.error !== undefined) throw apiError(`stream ${name}`, answer.error);
  return answer as unknown as StreamInfo;
}

/** The account's JetStream, or why there is none. */
export async function readAccount(open: OpenPorts): Promise<Record<string, unknown>> {
  const answer = await callApi(open, 'INFO');
  if (answer.error !== undefined) throw apiError('JetStream', answer.error);
  return answer;
}

async function callApi(open: OpenPorts, subject: string): Promise<Record<string, unknown>> {
  try {
    const answer = await open.ports.bus.request(`${open.config.apiPrefix}.${subject}`, new Uint8Array(), {
      timeoutMs: TIMEOUT_MS,
    });
    return JSON.parse(new TextDecoder().decode(answer.payload)) as Record<string, unknown>;
  } catch (error) {
    if ((error as { kind?: string }).kind === 'no-responders')
      throw new TroupeError(
        'NotConnected',
        'JetStream is off on this server or for this account: start nats-server with -js and a store directory.',
        { cause: error },
      );
    throw error;
  }
}

function apiError(what: string, error: unknown): TroupeError {
  const { description = 'unknown error' } = error as { description?: string };
  return new TroupeError('Internal', `${what}: ${description}.`, { details: error });
}

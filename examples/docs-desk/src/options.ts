/** What was said on the command line: `main.ts [flags]`. Flag, then environment, then default. */
import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Everything resolved. */
export interface DeskOptions {
  /** The folder whose documents are read; undefined for those of the installed packages. */
  readonly docs: string | undefined;
  /** A server that is there already. */
  readonly natsUrl: string | undefined;
  readonly natsPort: number;
  /** The port was asked for, so no other will do. */
  readonly natsPortFixed: boolean;
  /** Where the server's streams, the worker's log and the lock are. */
  readonly dataDir: string;
  /** End after the questions. */
  readonly once: boolean;
  /** Serve HTTP and the inspector too: unless told otherwise, where it does not end after the questions. */
  readonly gateway: boolean;
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'run'; readonly options: DeskOptions }
  | { readonly kind: 'wrong'; readonly message: string };

/** Where relative paths and answers come from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Root of the checkout: holds `.troupe`. */
  readonly rootDir: string;
  /** Somebody can type. */
  readonly terminal: boolean;
}

export const PORT_DEFAULT = 4222;

export const HELP = `Answers questions from documentation, with file and line. No model, no network.

usage: npm start -- [flags]

  --docs DIR        your own folder of Markdown; default: the packages installed here
  --once            end after the questions; what happens anyway without a terminal
  --gateway         serve HTTP and the inspector, on 127.0.0.1:4280 or the next free port; what happens anyway with a terminal
  --no-gateway      do not
  --nats-port PORT  port of the nats-server that is started; default ${PORT_DEFAULT}, or a free one if it is taken
  --nats-url URL    use this server instead of starting one
  --data DIR        where the server keeps its streams; default .troupe/docs-desk
  --help            this text

Environment: TROUPE_NATS_URL, TROUPE_NATS_PORT, TROUPE_DATA in place of the flags; TROUPE_NATS_SERVER: path of the binary.
`;

/** Reads the command line. */
export function parseOptions(args: readonly string[], surroundings: Surroundings): Request {
  let values: Values;
  try {
    ({ values } = parseArgs({ args: [...args], options: FLAGS }));
  } catch (error) {
    return { kind: 'wrong', message: (error as Error).message };
  }
  if (values.help === true) return { kind: 'help' };
  const { env, cwd, rootDir, terminal } = surroundings;
  const portText = textOf(values['nats-port']) ?? textOf(env.TROUPE_NATS_PORT);
  const natsPort = portText === undefined ? PORT_DEFAULT : portOf(portText);
  if (natsPort === undefined)
    return { kind: 'wrong', message: `The port is ${JSON.stringify(portText)}: use a whole number from 0 to 65535.` };
  const docs = textOf(values.docs) === undefined ? undefined : resolve(cwd, values.docs!);
  const once = values.once === true || !terminal;
  const data = textOf(values.data) ?? textOf(env.TROUPE_DATA);
  return {
    kind: 'run',
    options: {
      docs,
      natsUrl: textOf(values['nats-url']) ?? textOf(env.TROUPE_NATS_URL),
      natsPort,
      natsPortFixed: portText !== undefined && natsPort !== 0,
      dataDir: data === undefined ? resolve(rootDir, '.troupe', dataName(docs)) : resolve(cwd, data),
      once,
      gateway: values['no-gateway'] !== true && (values.gateway === true || !once),
    },
  };
}

const FLAGS = {
  docs: { type: 'string' },
  once: { type: 'boolean' },
  gateway: { type: 'boolean' },
  'no-gateway': { type: 'boolean' },
  'nats-port': { type: 'string' },
  'nats-url': { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

interface Values {
  readonly docs?: string | undefined;
  readonly once?: boolean | undefined;
  readonly gateway?: boolean | undefined;
  readonly 'no-gateway'?: boolean | undefined;
  readonly 'nats-port'?: string | undefined;
  readonly 'nats-url'?: string | undefined;
  readonly data?: string | undefined;
  readonly help?: boolean | undefined;
}

/** Each folder of documents has a troupe of its own. */
function dataName(docs: string | undefined): string {
  if (docs === undefined) return 'docs-desk';
  const name = basename(docs)
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 40);
  return `docs-desk-${name}-${createHash('sha256').update(docs).digest('hex').slice(0, 8)}`;
}

/** An empty text counts as absent. */
function textOf(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function portOf(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

/** Every stream that there should be, as provisioning makes it. */
import type { StreamInfo, WantedStream } from '@troupe/nats/internal';
import { partitionsOf } from '../../operator/partitions.ts';
import { type StreamInfo as FoundStream, readStream } from '../../operator/streams.ts';
import { showBytes } from '../../output/format.ts';
import type { Check } from '../check.ts';
import { type Finding, ok, problem, warning } from '../finding.ts';

/** With these on where they are not wanted, clients could forge or wipe entries. */
const FEATURES = ['allow_rollup_hdrs', 'allow_msg_schedules', 'allow_msg_ttl', 'allow_atomic'] as const;
/** Can't be changed once a stream is there. */
const FIXED = ['retention', 'storage', 'subject_transform'] as const;
/** With the flag of `nats stream edit` that sets it. */
const EDITABLE: Readonly<Record<string, string>> = {
  discard: '--discard',
  max_msgs_per_subject: '--max-msgs-per-subject',
};

export const streams: Check = {
  name: 'streams',
  looksAt: 'that every stream is there, as provisioned, and has room',
  async run({ open, limits, project }) {
    const { wantedStreams } = await import('@troupe/nats/internal');
    const wanted = wantedStreams(open.config, open.connection.payloadBytesMax);
    return Promise.all(
      wanted.map(async (one) => {
        const info = await readStream(open, one.config.name);
        if (info === undefined) return missing(one.config.name);
        const configured = one.kind === 'journal' && !open.config.splitByHash ? project.settings.partitions : undefined;
        return miscounted(one.config.name, info, configured) ?? judge(one, info as StreamInfo, limits.usageMaxPercent);
      }),
    );
  },
};

const missing = (name: string): Finding =>
  problem(`stream ${name}`, 'is missing: a worker creates it when it starts.', 'troupe worker');

/** @param configured undefined: not to be compared. */
function miscounted(name: string, { config }: FoundStream, configured: number | undefined): Finding | undefined {
  const found = partitionsOf(config);
  if (configured === undefined || found === configured) return undefined;
  return problem(
    `stream ${name}`,
    found === undefined
      ? 'has no partitions in its subject transform: it was not made by Troupe. Use another prefix, or remove it.'
      : `has ${found} partitions, configured are ${configured}: a worker would refuse it. Configure ${found}.`,
    found === undefined ? 'troupe config' : `troupe worker --partitions ${found}`,
  );
}

function judge({ config: wanted, kind }: WantedStream, { config, state }: StreamInfo, maxPercent: number): Finding {
  const check = `stream ${wanted.name}`;
  const fixed = FIXED.find((field) => differs(wanted[field], config[field]));
  if (fixed !== undefined)
    return problem(
      check,
      `has ${fixed} ${show(config[fixed])}, configured is ${show(wanted[fixed])}. That is fixed for its life: configure it as it was, or use another prefix.`,
      'troupe config',
    );
  const feature = FEATURES.find((one) => config[one] === true && wanted[one] !== true);
  if (kind === 'journal' && feature !== undefined)
    return problem(
      check,
      `has ${feature} on, with which any client could forge or wipe entries: make the stream anew without it.`,
      `nats stream info ${wanted.name}`,
    );
  const off = FEATURES.find((one) => wanted[one] === true && config[one] !== true);
  if (off !== undefined) return problem(check, `has ${off} off, which it needs.`, `nats stream info ${wanted.name}`);
  const subjects = wanted.subjects as readonly string[];
  const uncaught = subjects.filter((subject) => !config.subjects.includes(subject));
  if (uncaught.length > 0)
    return problem(check, `does not take ${uncaught.join(', ')}: a worker adds it when it starts.`, 'troupe worker');
  const changed = Object.keys(EDITABLE).find(
    (field) => wanted[field] !== undefined && differs(wanted[field], config[field]),
  );
  if (changed !== undefined)
    return problem(
      check,
      `has ${changed} ${show(config[changed])}, provisioned was ${show(wanted[changed])}: somebody changed it.`,
      `nats stream edit ${wanted.name} ${EDITABLE[changed]}=${String(wanted[changed])} --force`,
    );
  const replicas = Number(config.num_replicas ?? 1);
  if (replicas < Number(wanted.num_replicas))
    return warning(
      check,
      `has ${replicas} of ${wanted.num_replicas} replicas.`,
      `nats stream edit ${wanted.name} --replicas=${wanted.num_replicas} --force`,
    );
  return judgeUsage(check, config, state, replicas, maxPercent);
}

function judgeUsage(
  check: string,
  config: StreamInfo['config'],
  state: StreamInfo['state'],
  replicas: number,
  maxPercent: number,
): Finding {
  const max = Number(config.max_bytes ?? -1);
  const size = max > 0 ? `${showBytes(state.bytes)} of ${showBytes(max)}` : showBytes(state.bytes);
  const partitions = /partition\((\d+),/.exec(show(config.subject_transform))?.[1];
  const parts = partitions === undefined ? '' : `, ${partitions} partitions`;
  const text = `${state.messages} messages, ${size}${parts}, ${replicas} replica${replicas === 1 ? '' : 's'}`;
  if (max <= 0 || state.bytes < (max * maxPercent) / 100) return ok(check, text);
  const isRing = config.discard === 'old';
  if (isRing) return ok(check, `${text}; the oldest make room`);
  return warning(
    check,
    `${text}: nearly full. Raise its bytesMax under streams of the config file and start a worker anew.`,
    `nats stream info ${check.slice('stream '.length)}`,
  );
}

/** Servers write defaults out, and leave empty fields away. */
function differs(wanted: unknown, found: unknown): boolean {
  return wanted !== undefined && show(wanted) !== show(found);
}

function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { src, dest } = value as { src?: string; dest?: string };
  return JSON.stringify({ src, dest });
}

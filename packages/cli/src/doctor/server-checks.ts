/** The server: its version, JetStream, the streams. */
import type { OpenPorts } from '@troupe/service-worker';
import { partitionsOf } from '../operator/partitions.ts';
import { readAccount, readStream, type StreamInfo } from '../operator/streams.ts';
import { showBytes } from '../output/format.ts';
import { type Finding, ok, problem, warning } from './finding.ts';

/** Scheduled messages came with this release. */
const VERSION_MIN = [2, 12] as const;
/** From here on a full stream is near, share. */
const USAGE_WARNING = 0.9;
/** With these on, any client could forge or wipe entries of the journal. */
const UNSAFE_FEATURES = ['allow_rollup_hdrs', 'allow_msg_schedules', 'allow_msg_ttl', 'allow_atomic'];

export function checkVersion(open: OpenPorts): Finding {
  const version = open.connection.serverVersion;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin, minorMin] = VERSION_MIN;
  const recent = major > majorMin || (major === majorMin && minor >= minorMin);
  return recent
    ? ok('server', `nats-server ${version}`)
    : problem('server', `nats-server is ${version}, needed is ${VERSION_MIN.join('.')} or later: upgrade it.`);
}

export async function checkJetStream(open: OpenPorts): Promise<Finding> {
  const account = await readAccount(open);
  const used = Number(account.storage ?? 0);
  const max = Number((account.limits as { max_storage?: number } | undefined)?.max_storage ?? -1);
  const usage = max > 0 ? `${showBytes(used)} of ${showBytes(max)}` : showBytes(used);
  if (max > 0 && used >= max * USAGE_WARNING)
    return warning('jetstream', `${usage} used: nearly full, make room or raise the account's limit.`);
  return ok('jetstream', `on, ${usage} used`);
}

/** Every stream that there should be. */
export async function checkStreams(open: OpenPorts, partitionsWanted: number): Promise<Finding[]> {
  const { config } = open;
  const journals = config.journals.map(({ name }) => name);
  const { outs, ...others } = config.streams;
  const names = [...journals, ...Object.values(others), ...(config.outTypes.length > 0 ? [outs] : [])];
  const found: Finding[] = [];
  for (const name of names) {
    const info = await readStream(open, name);
    if (info === undefined) found.push(problem(`stream ${name}`, 'is missing: start a worker, which creates it.'));
    else
      found.push(
        journals.includes(name)
          ? checkJournal(name, info, config.splitByHash ? undefined : partitionsWanted)
          : checkUsage(name, info),
      );
  }
  return found;
}

/** @param partitionsWanted undefined: journals share the partitions by hash, so that none has a count of its own. */
function checkJournal(name: string, info: StreamInfo, partitionsWanted: number | undefined): Finding {
  const check = `stream ${name}`;
  const partitions = partitionsOf(info.config);
  if (partitions === undefined && partitionsWanted !== undefined)
    return problem(
      check,
      'has no partitions in its subject transform: it was not made by Troupe. Use another prefix, or remove it.',
    );
  const unsafe = UNSAFE_FEATURES.find((feature) => info.config[feature] === true);
  if (unsafe !== undefined)
    return problem(
      check,
      `has ${unsafe} on, with which any client could forge or wipe entries: make the stream anew without it.`,
    );
  if (partitionsWanted === undefined) return checkUsage(name, info, ', partitions split by hash');
  if (partitions !== partitionsWanted)
    return problem(
      check,
      `has ${partitions} partitions, configured are ${partitionsWanted}: a worker would refuse it. Configure ${partitions}.`,
    );
  return checkUsage(name, info, `, ${partitions} partitions`);
}

function checkUsage(name: string, { config, state }: StreamInfo, more = ''): Finding {
  const check = `stream ${name}`;
  const max = config.max_bytes ?? -1;
  const size = max > 0 ? `${showBytes(state.bytes)} of ${showBytes(max)}` : showBytes(state.bytes);
  const text = `${state.messages} messages, ${size}${more}, ${config.num_replicas ?? 1} replica${config.num_replicas === 1 ? '' : 's'}`;
  if (max > 0 && state.bytes >= max * USAGE_WARNING)
    return warning(check, `${text}: nearly full, raise its size under streams of the config file.`);
  return ok(check, text);
}

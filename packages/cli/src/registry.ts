/** Every command, in the order of help. A new one is a file under `commands/` and a line here. */
import type { Command } from './command.ts';
import { ask } from './commands/ask.ts';
import { bundle } from './commands/bundle.ts';
import { config } from './commands/config.ts';
import { deadDrop } from './commands/dead-drop.ts';
import { deadLs } from './commands/dead-ls.ts';
import { deadRedrive } from './commands/dead-redrive.ts';
import { deadShow } from './commands/dead-show.ts';
import { dev } from './commands/dev.ts';
import { diff } from './commands/diff.ts';
import { doctor } from './commands/doctor.ts';
import { drain } from './commands/drain.ts';
import { fork } from './commands/fork.ts';
import { gateway } from './commands/gateway.ts';
import { gc } from './commands/gc.ts';
import { history } from './commands/history.ts';
import { logLevel } from './commands/log-level.ts';
import { ls } from './commands/ls.ts';
import { partitions } from './commands/partitions.ts';
import { profileHeap, profileRun, profileStart, profileStop } from './commands/profile.ts';
import { replay } from './commands/replay.ts';
import { repro } from './commands/repro.ts';
import { rewind } from './commands/rewind.ts';
import { send } from './commands/send.ts';
import { signal } from './commands/signal.ts';
import { stateAt } from './commands/state-at.ts';
import { stateExport } from './commands/state-export.ts';
import { stateImport } from './commands/state-import.ts';
import { stateReset } from './commands/state-reset.ts';
import { stateShow } from './commands/state-show.ts';
import { tail } from './commands/tail.ts';
import { timersCancel } from './commands/timers-cancel.ts';
import { timersLs } from './commands/timers-ls.ts';
import { top } from './commands/top.ts';
import { version } from './commands/version.ts';
import { worker } from './commands/worker.ts';
import { workers } from './commands/workers.ts';

export const COMMANDS: readonly Command[] = [
  dev,
  worker,
  gateway,
  ask,
  send,
  signal,
  ls,
  stateShow,
  stateAt,
  diff,
  fork,
  rewind,
  stateExport,
  stateImport,
  stateReset,
  history,
  tail,
  timersLs,
  timersCancel,
  deadLs,
  deadShow,
  deadRedrive,
  deadDrop,
  workers,
  partitions,
  drain,
  top,
  repro,
  replay,
  profileRun,
  profileStart,
  profileStop,
  profileHeap,
  logLevel,
  doctor,
  gc,
  bundle,
  config,
  version,
];

/**
 * The same process, looking different: what a machine may read although it must not. A fold is repeated in it, and has to
 * come out the same. Everything is put back, whatever happens.
 *
 * Time and randomness aren't touched: the step itself provides those.
 */

/** Runs a synchronous call in another environment, zone, folder name, and process id. */
export function inOtherWorld<T>(call: () => T): T {
  const restore = [
    changeZone(),
    changeEnvironment(),
    shadow(process, 'pid', process.pid + 1),
    shadow(process, 'argv', ['node', 'elsewhere']),
  ];
  try {
    return call();
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

/** Every variable reads differently. */
function changeEnvironment(): () => void {
  const before = process.env;
  const other = Object.fromEntries(Object.entries(before).map(([name, value]) => [name, `${value}-elsewhere`]));
  process.env = other;
  return () => {
    process.env = before;
  };
}

/** The zone is taken from the real environment, so this comes before that is replaced. Has no effect in a worker thread. */
function changeZone(): () => void {
  const before = process.env.TZ;
  const other = new Date(0).getTimezoneOffset() === -765 ? 'America/St_Johns' : 'Pacific/Chatham';
  setZone(other);
  return () => setZone(before);
}

function setZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
}

/** A property that reads differently. */
function shadow(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  if (before?.configurable !== true) return () => {};
  Object.defineProperty(target, name, { value, configurable: true, enumerable: true, writable: true });
  return () => Object.defineProperty(target, name, before);
}

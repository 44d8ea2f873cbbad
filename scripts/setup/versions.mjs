/** Every tool version that setup pins, in one place. Raising one here is the whole upgrade. */

/** The lowest major of Node that runs the sources as they are (it strips types natively). */
export const nodeMajorMin = 24;

/** The Node that is installed when the machine's own is older than {@link nodeMajorMin}. */
export const nodeVersion = '24.21.0';

export const pnpmVersion = '12.21.0';

/** Scheduled messages (`Nats-Schedule`) came with 2.12; Troupe's durable timers are made of them. */
export const natsServerVersionMin = '2.12.0';

/** The official release that is downloaded when no package manager offers a server. */
export const natsServerReleaseVersion = '2.15.1';

/**
 * Compares two dotted versions by number; anything after `-` or `+` is ignored.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number} below zero, zero or above zero, as for `Array.prototype.sort`
 */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => (version.split(/[-+]/)[0] ?? '').split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

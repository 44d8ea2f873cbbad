/** What the codec refuses, with the reason for each figure. All are far above what real values need. */
export const CODEC_LIMITS = {
  /** Nesting of payloads from outside. Stops stack exhaustion; real payloads stay below 10. */
  payloadDepthMax: 64,
  /** Nesting of values of our own: a payload of full depth inside a context inside a few levels of child machines. */
  valueDepthMax: 128,
  /** Values in one blob, counting keys. Bounds time and memory: 1,000,000 take about 50 ms and 30 MB. */
  elementsMax: 1_000_000,
  /** Bytes of one blob. Above any state (768 KiB) and payload (1 MiB), below the server's hard limit of 64 MiB. */
  bytesMax: 8 * 1_048_576,
} as const;

/** Keys that no object of ours ever has: assigning them can reach prototypes. Refused in both directions. */
export const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype'] as const;

/** True for the keys that are refused. */
export function isForbiddenKey(key: string): boolean {
  // Lengths first: this runs for every key of every payload.
  const length = key.length;
  if (length !== 9 && length !== 11) return false;
  return key === '__proto__' || key === 'prototype' || key === 'constructor';
}

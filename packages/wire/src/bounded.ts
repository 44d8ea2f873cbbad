/**
 * Any value as a plain copy of bounded size: for the details of failures and for what logs and inspectors show. What
 * doesn't fit is cut and marked with `…`; what can't be shown becomes its kind in brackets.
 */
import { truncateUtf8, utf8Length, wellFormed } from './utf8.ts';

const DEPTH_MAX = 8;

interface Budget {
  bytes: number;
}

/**
 * A plain copy of at most about `bytesMax` bytes: null, booleans, numbers, strings, arrays, plain objects. Never throws.
 *
 * @example boundedPlain(new Map([['a', 1]]), 1024) // '[Map]'
 */
export function boundedPlain(value: unknown, bytesMax: number): unknown {
  try {
    return copy(value, { bytes: bytesMax }, 0);
  } catch {
    return '[unreadable]';
  }
}

function copy(value: unknown, budget: Budget, depth: number): unknown {
  budget.bytes -= 8;
  if (typeof value === 'string') return copyText(value, budget);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return copyText(`${value}`, budget);
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return copyArray(value, budget, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '[invalid date]' : value.toISOString();
  if (value instanceof Error) return copyText(`${value.name}: ${value.message}`, budget);
  const proto = Object.getPrototypeOf(value);
  if (proto !== null && proto !== Object.prototype) return `[${value.constructor?.name ?? 'object'}]`;
  return copyObject(value as Record<string, unknown>, budget, depth);
}

function copyText(text: string, budget: Budget): string {
  const room = Math.max(0, budget.bytes);
  const whole = wellFormed(truncateUtf8(text, room));
  budget.bytes -= utf8Length(whole);
  return whole.length === text.length ? whole : `${whole}…`;
}

function copyArray(items: readonly unknown[], budget: Budget, depth: number): unknown[] {
  const out: unknown[] = [];
  for (const item of items) {
    if (budget.bytes <= 0) {
      out.push('…');
      break;
    }
    out.push(copy(item, budget, depth + 1));
  }
  return out;
}

function copyObject(source: Record<string, unknown>, budget: Budget, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    if (budget.bytes <= 0) {
      out['…'] = '…';
      break;
    }
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') continue;
    if (source[key] === undefined) continue;
    out[copyText(key, budget)] = copy(source[key], budget, depth + 1);
  }
  return out;
}

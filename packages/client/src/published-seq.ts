/** As of which journal sequence an actor published something. */
import { HEADERS } from '@troupe/wire';
import { findHeader } from './header-block.ts';

const EFFECT_SEQ = /@([0-9]{1,16})\.[0-9]+$/;

/** Outcomes say it themselves, emitted events in their effect id; 0 when neither is there. */
export function publishedSeq(headers: string): number {
  const told = findHeader(headers, HEADERS.seq) ?? EFFECT_SEQ.exec(findHeader(headers, HEADERS.effectId) ?? '')?.[1];
  const seq = Number(told ?? 0);
  return Number.isSafeInteger(seq) ? seq : 0;
}

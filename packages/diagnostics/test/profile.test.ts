import { analyseProfile, type CpuProfile, flamePage, placeOf } from '@troupe/diagnostics';
import { describe, expect, test } from 'vitest';

const frame = (functionName: string, lineNumber: number, url = 'file:///app/order.ts') => ({
  functionName,
  scriptId: '7',
  url,
  lineNumber,
  columnNumber: 3,
});
/** 10 ms of the engine and 30 ms of an action within a step of `order`, 5 ms of nobody, 55 ms idle. */
const PROFILE: CpuProfile = {
  startTime: 0,
  endTime: 100_000,
  nodes: [
    { id: 1, callFrame: frame('(root)', -1, ''), children: [2, 5, 6] },
    { id: 2, callFrame: frame('step', 0, 'troupe:actor/order'), children: [3] },
    { id: 3, callFrame: frame('transition', 9), children: [4] },
    { id: 4, callFrame: frame('</script><b>', 20) },
    { id: 5, callFrame: frame('other', 40) },
    { id: 6, callFrame: frame('(idle)', -1, '') },
  ],
  samples: [3, 4, 5, 6, 6],
  timeDeltas: [0, 10_000, 30_000, 5_000, 55_000],
};

describe('a CPU profile', () => {
  test('is told by actor type, part of its machine and function', () => {
    const parts = new Map([[placeOf(frame('', 20)), { type: 'order', name: 'action price' }]]);
    const { types, parts: ofParts, bySelf, busyMs, durationMs } = analyseProfile(PROFILE, parts);
    expect({ busyMs, durationMs }).toEqual({ busyMs: 45, durationMs: 100 });
    expect(types).toEqual([{ name: 'order', selfMs: 30, totalMs: 40 }]);
    expect(ofParts).toEqual([{ name: 'order action price', selfMs: 30, totalMs: 30, type: 'order' }]);
    expect(bySelf.map(({ name, selfMs, type }) => [name, selfMs, type])).toEqual([
      ['</script><b> app/order.ts:21', 30, 'order'],
      ['transition app/order.ts:10', 10, 'order'],
      ['other app/order.ts:41', 5, undefined],
    ]);
  });

  test('becomes a page in which no name is markup', () => {
    const page = flamePage(PROFILE, '<i>worker</i>');
    expect(page).not.toContain('<b>');
    expect(page).not.toContain('<i>');
    expect(page).toContain('steps of order');
  });
});

/** What tests read from the page in their browser. Each function stands alone: it is sent there as text. */

/** A rectangle on the screen, px. */
export interface Drawn {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Boxes and labels of the chart as they are drawn, and the texts that leave theirs. */
export function drawnChart(): {
  readonly boxes: readonly Drawn[];
  readonly labels: readonly Drawn[];
  readonly escaped: readonly string[];
} {
  const drawn = (shape: Element, id: string): Drawn => {
    const { x, y, width, height } = shape.getBoundingClientRect();
    return { id, x, y, width, height };
  };
  const all = (selector: string) => [...document.querySelectorAll<SVGElement>(selector)];
  const boxes = all('[data-box]').map((one) => drawn(one.querySelector('rect, circle') ?? one, one.dataset.box ?? ''));
  const labels = all('[data-label]').map((one) => drawn(one.querySelector('rect') ?? one, one.dataset.label ?? ''));
  const escaped = all('.state, .label').flatMap((one) => {
    const outer = one.querySelector('rect')?.getBoundingClientRect() ?? new DOMRect();
    const texts = [...one.querySelectorAll('text')].filter((text) => text.textContent !== '');
    return texts
      .filter((text) => {
        const inner = text.getBoundingClientRect();
        return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
      })
      .map((text) => `text leaves its box: ${text.textContent}`);
  });
  return { boxes, labels, escaped };
}

/** Whether the page is wider than the screen. */
export function widths(): { readonly page: number; readonly screen: number; readonly background: string } {
  const { backgroundColor } = getComputedStyle(document.body);
  return { page: document.documentElement.scrollWidth, screen: innerWidth, background: backgroundColor };
}

/** What can be pressed or filled, and has no name. */
export function nameless(): readonly string[] {
  const all = [
    ...document.querySelectorAll('button, input, select, textarea, [role=tab], [role=option], [tabindex="0"]'),
  ];
  const isNamed = (element: Element): boolean => {
    const label = element.getAttribute('aria-label') ?? element.textContent ?? '';
    return label.trim() !== '' || element.closest('label') !== null;
  };
  return all.filter((element) => !isNamed(element)).map((element) => element.cloneNode(false).nodeName);
}

export function focusedId(): string {
  return document.activeElement?.id ?? '';
}

/** Set by planted scripts, if one ever runs. */
export function hacked(): unknown {
  return (globalThis as { hacked?: unknown }).hacked;
}

interface Recording {
  seenAt?: [seq: number, at: number][];
}

/** From now on notes when the chart shows which step: once a frame, after it was painted. */
export function recordSteps(): void {
  const seenAt: [number, number][] = [];
  (globalThis as Recording).seenAt = seenAt;
  let last = 0;
  const look = (): void => {
    const seq = Number(document.querySelector<SVGElement>('svg.chart')?.dataset.seq ?? 0);
    if (seq !== last) {
      last = seq;
      seenAt.push([seq, Date.now()]);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** What `recordSteps` noted: sequence and Unix ms. */
export function recordedSteps(): [seq: number, at: number][] {
  return (globalThis as Recording).seenAt ?? [];
}

/** Scrolls a list through its whole length in so many frames. @returns the time between frames, ms, and rows seen empty. */
export async function scrollThrough({ id, frames }: { readonly id: string; readonly frames: number }): Promise<{
  readonly gapsMs: number[];
  readonly emptyFrames: number;
  readonly height: number;
}> {
  const list = document.getElementById(id);
  if (list === null) throw new Error(`there is no list ${id}`);
  const gapsMs: number[] = [];
  let emptyFrames = 0;
  const distance = list.scrollHeight - list.clientHeight;
  let before = await new Promise<number>(requestAnimationFrame);
  for (let frame = 1; frame <= frames; frame++) {
    // Slow at first as a reader scrolls, then in great leaps.
    const share = frame <= frames / 2 ? (frame * 60) / distance : frame / frames;
    list.scrollTop = Math.round(distance * Math.min(1, share));
    const now = await new Promise<number>(requestAnimationFrame);
    gapsMs.push(now - before);
    before = now;
    const { top, bottom } = list.getBoundingClientRect();
    const inSight = [...list.querySelectorAll('.row')].some((row) => {
      const place = row.getBoundingClientRect();
      return place.bottom > top && place.top < bottom;
    });
    if (!inSight) emptyFrames++;
  }
  return { gapsMs, emptyFrames, height: list.scrollHeight };
}

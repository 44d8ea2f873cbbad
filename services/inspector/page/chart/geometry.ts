/** Whether a chart can be read: nothing lies over anything that it does not belong to. */
import type { ChartLayout, PlacedBox, PlacedEdge, Rect } from './layout.ts';

/** Rounding of the layout, px. */
const TOLERANCE = 0.5;

export function overlap(a: Rect, b: Rect): boolean {
  return (
    a.x + a.width > b.x + TOLERANCE &&
    b.x + b.width > a.x + TOLERANCE &&
    a.y + a.height > b.y + TOLERANCE &&
    b.y + b.height > a.y + TOLERANCE
  );
}

export function inside(inner: Rect, outer: Rect): boolean {
  return (
    inner.x >= outer.x - TOLERANCE &&
    inner.y >= outer.y - TOLERANCE &&
    inner.x + inner.width <= outer.x + outer.width + TOLERANCE &&
    inner.y + inner.height <= outer.y + outer.height + TOLERANCE
  );
}

/** The part of a box with its name and lines. */
export function headerOf({ x, y, width, box, height }: PlacedBox): Rect {
  return { x, y, width, height: box.children.length === 0 ? height : box.headerHeight };
}

/**
 * Everything that lies where it should not, in words; empty for a good chart: boxes beside each other are apart, boxes inside
 * another keep clear of its border and header, labels touch no other label, no box's header and no border.
 */
export function findOverlaps({ boxes, edges }: ChartLayout): string[] {
  const problems: string[] = [];
  const byId = new Map(boxes.map((one) => [one.box.id, one]));
  for (const one of boxes) {
    const parent = one.parent === undefined ? undefined : byId.get(one.parent);
    if (parent === undefined) continue;
    if (!inside(one, parent)) problems.push(`${one.box.id} sticks out of ${parent.box.id}`);
    if (overlap(one, headerOf(parent))) problems.push(`${one.box.id} lies over the header of ${parent.box.id}`);
  }
  for (const [a, b] of pairs(boxes)) {
    if (a.parent === b.parent && overlap(a, b)) problems.push(`${a.box.id} lies over ${b.box.id}`);
  }
  const labels = edges.filter((one): one is PlacedEdge & { label: Rect } => one.label !== undefined);
  for (const [a, b] of pairs(labels)) {
    if (overlap(a.label, b.label)) problems.push(`label ${a.edge.id} lies over label ${b.edge.id}`);
  }
  for (const { label, edge } of labels) {
    for (const box of boxes) {
      if (!overlap(label, box)) continue;
      const within = box.box.children.length > 0 && inside(label, box) && !overlap(label, headerOf(box));
      if (!within) problems.push(`label ${edge.id} lies over ${box.box.id}`);
    }
  }
  return problems;
}

function* pairs<T>(items: readonly T[]): Generator<readonly [T, T]> {
  for (const [index, a] of items.entries()) for (const b of items.slice(index + 1)) yield [a, b];
}

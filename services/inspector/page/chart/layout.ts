/** From what is drawn to where: the graph goes to ELK, and comes back with places. */
import type { ELK, ElkExtendedEdge, ElkNode } from 'elkjs';
import type { Graph, GraphBox, GraphEdge } from './graph.ts';
import { SIZES } from './graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedBox extends Rect {
  readonly box: GraphBox;
  readonly parent: string | undefined;
  readonly depth: number;
}

export interface PlacedEdge {
  readonly edge: GraphEdge;
  /** One line for each section, in order. */
  readonly lines: readonly (readonly Point[])[];
  readonly label: Rect | undefined;
}

/** Everything in the coordinates of the whole chart, px; boxes before what is inside them. */
export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly edges: readonly PlacedEdge[];
}

const ROOT_OPTIONS: Record<string, string> = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
  'elk.spacing.nodeNode': '26',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.labelNode': '8',
  'elk.spacing.labelLabel': '8',
  'elk.spacing.edgeLabel': '6',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
};

/**
 * Finds a place for everything.
 *
 * @throws what ELK throws; a chart without arrows is better than none, so the caller may try again with no edges.
 */
export async function layoutChart(elk: Pick<ELK, 'layout'>, graph: Graph): Promise<ChartLayout> {
  const placed = await elk.layout(toElk(graph));
  return fromElk(graph, placed);
}

function toElk(graph: Graph): ElkNode {
  return {
    id: '|chart',
    layoutOptions: ROOT_OPTIONS,
    children: [toElkNode(graph.root)],
    edges: graph.edges.map((edge) => ({
      id: `e:${edge.id}`,
      sources: [`n:${edge.source}`],
      targets: [`n:${edge.target}`],
      labels: edge.labelWidth === 0 ? [] : [toElkLabel(edge)],
    })),
  };
}

function toElkLabel({ id, labelWidth, labelHeight }: GraphEdge) {
  const layoutOptions = { 'elk.edgeLabels.placement': 'CENTER', 'elk.edgeLabels.inline': 'true' };
  return { id: `l:${id}`, text: ' ', width: labelWidth, height: labelHeight, layoutOptions };
}

function toElkNode(box: GraphBox): ElkNode {
  const { width, height, headerHeight } = box;
  if (box.children.length === 0) return { id: `n:${box.id}`, width, height };
  return {
    id: `n:${box.id}`,
    children: box.children.map(toElkNode),
    layoutOptions: {
      'elk.padding': `[top=${headerHeight + SIZES.gap},left=${SIZES.gap + 4},bottom=${SIZES.gap + 4},right=${SIZES.gap + 4}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
    },
  };
}

function fromElk(graph: Graph, placed: ElkNode): ChartLayout {
  const boxes: PlacedBox[] = [];
  const found = new Map<string, ElkNode>();
  collect(placed, found);
  const place = (box: GraphBox, parent: string | undefined, depth: number): void => {
    const { x = 0, y = 0, width = 0, height = 0 } = found.get(`n:${box.id}`) ?? {};
    boxes.push({ box, parent, depth, x, y, width, height });
    for (const child of box.children) place(child, box.id, depth + 1);
  };
  place(graph.root, undefined, 0);
  const byId = new Map((placed.edges ?? []).map((edge) => [edge.id, edge as ElkExtendedEdge]));
  const edges = graph.edges.map((edge) => placeEdge(edge, byId.get(`e:${edge.id}`)));
  return { width: placed.width ?? 0, height: placed.height ?? 0, boxes, edges };
}

function collect(node: ElkNode, found: Map<string, ElkNode>): void {
  found.set(node.id, node);
  for (const child of node.children ?? []) collect(child, found);
}

function placeEdge(edge: GraphEdge, placed: ElkExtendedEdge | undefined): PlacedEdge {
  const sections = placed?.sections ?? [];
  const lines = sections.map(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
  const label = placed?.labels?.[0];
  if (label === undefined) return { edge, lines, label: undefined };
  const { x = 0, y = 0, width = 0, height = 0 } = label;
  return { edge, lines, label: { x, y, width, height } };
}

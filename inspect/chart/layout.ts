/** Layout of a chart: positions of all boxes, arrows and labels, in pixels. */
import type { ElkExtendedEdge, ElkNode } from "elkjs";
import { type Arrow, arrowsOf } from "./edges.ts";
import { initialArrowId, initialDotId, regionListId, toGraph } from "./graph.ts";
import { linesOf } from "./measures.ts";
import { everyState, type Model, type State, type Transition } from "./model.ts";

export interface Point {
  x: number;
  y: number;
}

export interface Rectangle extends Point {
  width: number;
  height: number;
}

export interface Box extends Rectangle {
  state: State;
  /** Internal transitions, which the box shows as one line each. */
  lines: readonly Transition[];
}

export interface PlacedArrow {
  /** Without transitions, it leads from a dot to the initial state. */
  arrow: Arrow;
  /** From the border of the source to the border of the target, alternately horizontal and vertical. */
  points: readonly Point[];
  label: Rectangle | undefined;
}

export interface Layout {
  width: number;
  height: number;
  /** Parents before their children. */
  boxes: readonly Box[];
  arrows: readonly PlacedArrow[];
  dots: readonly (Rectangle & { state: State })[];
  /** Lists of merged regions, each with the state that represents them. */
  lists: readonly (Rectangle & { state: State })[];
}

/** @param elk `layout` of elkjs */
export async function layOut(model: Model, elk: (graph: ElkNode) => Promise<ElkNode>): Promise<Layout> {
  const { root, transitions } = model;
  const hasFrame = root.type !== "compound" || transitions.some(({ source }) => source === root.id);
  const arrows = arrowsOf(model);
  const { width = 0, height = 0, ...graph } = await elk(toGraph(model, arrows, hasFrame));
  const nodes = new Map(everyNode(graph));
  const place = (id: string): Rectangle => {
    const { x = 0, y = 0, width = 0, height = 0 } = nodes.get(id) ?? {};
    return { x, y, width, height };
  };
  const states = [...everyState(root)].filter((state) => hasFrame || state !== root);
  const edges = new Map(
    [...nodes.values()].flatMap(({ edges = [] }) => edges.map((edge) => [edge.id, edge])),
  );
  return {
    width,
    height,
    boxes: states.map((state) => ({ state, lines: linesOf(state, transitions), ...place(state.id) })),
    arrows: [...initialArrows(states, root), ...arrows].flatMap((arrow) => {
      const edge = edges.get(arrow.id);
      return edge ? [{ arrow, ...routeOf(edge) }] : [];
    }),
    dots: [...everyState(root)].filter(({ id }) => nodes.has(initialDotId(id)))
      .map((state) => ({ state, ...place(initialDotId(state.id)) })),
    lists: states.filter(({ id }) => nodes.has(regionListId(id))).map((state) => ({
      state,
      ...place(regionListId(state.id)),
      width: Math.max(place(regionListId(state.id)).width, place(state.id).width),
    })),
  };
}

function routeOf({ sections = [], labels = [] }: ElkExtendedEdge): Pick<PlacedArrow, "points" | "label"> {
  const { x = 0, y = 0, width = 0, height = 0 } = labels[0] ?? {};
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  return { points, label: labels.length > 0 ? { x, y, width, height } : undefined };
}

function initialArrows(states: readonly State[], root: State): Arrow[] {
  return [...new Set([root, ...states])].flatMap(({ id, initial: [target] }) =>
    target ? [{ id: initialArrowId(id), source: initialDotId(id), target, transitions: [], labeled: [] }] : []
  );
}

function* everyNode(node: ElkNode): Generator<[string, ElkNode]> {
  yield [node.id, node];
  for (const child of node.children ?? []) yield* everyNode(child);
}

/** Gives every box, arrow and label of a model its place. */
import type { ElkExtendedEdge, ElkNode } from "elkjs";
import { type Arrow, arrowsOf } from "./edges.ts";
import { beginsId, initialId, listId, toGraph } from "./graph.ts";
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
  /** Transitions that the box tells in a line each. */
  lines: readonly Transition[];
}

export interface PlacedArrow {
  /** Without transitions it leads from a dot to where a state begins. */
  arrow: Arrow;
  /** From the source's border to the target's; horizontal and vertical in turn. */
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
  /** The places of regions that are shown as one, by the state that stands for them. */
  lists: readonly (Rectangle & { state: State })[];
}

/** @param elk what lays out a graph: `layout` of elkjs */
export async function layOut(model: Model, elk: (graph: ElkNode) => Promise<ElkNode>): Promise<Layout> {
  const { root, transitions } = model;
  const framed = root.type !== "compound" || transitions.some(({ source }) => source === root.id);
  const arrows = arrowsOf(model);
  const { width = 0, height = 0, ...graph } = await elk(toGraph(model, arrows, framed));
  const nodes = new Map(everyNode(graph));
  const place = (id: string): Rectangle => {
    const { x = 0, y = 0, width = 0, height = 0 } = nodes.get(id) ?? {};
    return { x, y, width, height };
  };
  const states = [...everyState(root)].filter((state) => framed || state !== root);
  const edges = new Map(
    [...nodes.values()].flatMap(({ edges = [] }) => edges.map((edge) => [edge.id, edge])),
  );
  return {
    width,
    height,
    boxes: states.map((state) => ({ state, lines: linesOf(state, transitions), ...place(state.id) })),
    arrows: [...beginnings(states, root), ...arrows].flatMap((arrow) => {
      const edge = edges.get(arrow.id);
      return edge ? [{ arrow, ...course(edge) }] : [];
    }),
    dots: [...everyState(root)].filter(({ id }) => nodes.has(initialId(id)))
      .map((state) => ({ state, ...place(initialId(state.id)) })),
    lists: states.filter(({ id }) => nodes.has(listId(id))).map((state) => ({
      state,
      ...place(listId(state.id)),
      width: Math.max(place(listId(state.id)).width, place(state.id).width),
    })),
  };
}

function course({ sections = [], labels = [] }: ElkExtendedEdge): Pick<PlacedArrow, "points" | "label"> {
  const { x = 0, y = 0, width = 0, height = 0 } = labels[0] ?? {};
  const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  return { points, label: labels.length > 0 ? { x, y, width, height } : undefined };
}

function beginnings(states: readonly State[], root: State): Arrow[] {
  return [...new Set([root, ...states])].flatMap(({ id, initial: [target] }) =>
    target ? [{ id: beginsId(id), source: initialId(id), target, transitions: [], told: [] }] : []
  );
}

function* everyNode(node: ElkNode): Generator<[string, ElkNode]> {
  yield [node.id, node];
  for (const child of node.children ?? []) yield* everyNode(child);
}

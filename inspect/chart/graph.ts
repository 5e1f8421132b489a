/** Graph for the Eclipse Layout Kernel: boxes, arrows and labels with their sizes. */
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from "elkjs";
import { DOT, HEAD, heightOf, labelSize, linesOf, listSize, MARGIN, sizeOf } from "./measures.ts";
import { type Arrow, containerOf } from "./edges.ts";
import { everyState, type Model, parentsIn, type State } from "./model.ts";

const LAYERED: LayoutOptions = {
  "elk.algorithm": "layered",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.randomSeed": "1",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.spacing.nodeNodeBetweenLayers": "20",
  "elk.layered.spacing.edgeNodeBetweenLayers": "12",
  "elk.spacing.nodeNode": "20",
  "elk.spacing.edgeNode": "12",
  "elk.spacing.edgeEdge": "10",
  "elk.spacing.edgeLabel": "4",
  "elk.spacing.labelLabel": "6",
};

/** Regions are laid out separately and placed side by side. */
const SIDE_BY_SIDE: LayoutOptions = {
  "elk.algorithm": "rectpacking",
  "elk.hierarchyHandling": "SEPARATE_CHILDREN",
  "elk.aspectRatio": "0.1",
  "elk.spacing.nodeNode": "12",
};

export const initialDotId = (state: string) => `${state} initial`;
export const initialArrowId = (state: string) => `${state} begins`;
export const regionListId = (state: string) => `${state} list`;

export function toGraph(model: Model, arrows: readonly Arrow[], hasFrame: boolean): ElkNode {
  const { root, transitions } = model;
  const contained = Map.groupBy(arrows, containerOf(root));
  const parents = parentsIn(root);
  const order = new Map([...everyState(root)].map(({ id }, place) => [id, place] as const));
  const separate = new Set([...everyState(root)].filter(hasOwnLayout).map(({ id }) => id));

  function node(state: State): ElkNode {
    const lines = linesOf(state, transitions);
    const size = sizeOf(state, lines);
    if (state.children.length === 0) return { id: state.id, ...size };
    const right = state.children.some(({ children }) => children.length === 0) ? MARGIN + 8 : MARGIN;
    const padding = `[top=${
      HEAD + heightOf(state, lines) + 6
    },left=${MARGIN},bottom=${MARGIN},right=${right}]`;
    return {
      id: state.id,
      layoutOptions: {
        ...(separate.has(state.id) ? SIDE_BY_SIDE : LAYERED),
        "elk.direction": separate.has(parents.get(state.id)?.id ?? "") ? "RIGHT" : "DOWN",
        "elk.padding": padding,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": `(${size.width},${size.height})`,
      },
      ...inside(state),
    };
  }

  function inside(state: State): Pick<ElkNode, "children" | "edges"> {
    const children = state.children.flatMap((child) => {
      const { width, height } = listSize(child.mergedRegions);
      return child.mergedRegions.length > 0
        ? [node(child), { id: regionListId(child.id), width, height }]
        : [node(child)];
    });
    const [first] = state.initial;
    const hasDot = first !== undefined && state.type === "compound";
    return {
      children: hasDot
        ? [{
          id: initialDotId(state.id),
          width: DOT,
          height: DOT,
          layoutOptions: { "elk.layered.layering.layerConstraint": "FIRST" },
        }, ...children]
        : children,
      edges: [
        ...(hasDot
          ? [{ id: initialArrowId(state.id), sources: [initialDotId(state.id)], targets: [first] }]
          : []),
        ...(contained.get(state.id) ?? []).map(edge),
      ],
    };
  }

  /** Whether an arrow leads from a state, or from a state inside it, to the next one in the definition. */
  function areNeighbors({ source, target }: Arrow): boolean {
    const next = parents.get(target)?.children.findIndex(({ id }) => id === target) ?? 0;
    const before = parents.get(target)?.children[next - 1];
    return before !== undefined && [...everyState(before)].some(({ id }) => id === source);
  }

  /** Whether regions can be laid out separately: no arrow crosses the border of one. */
  function hasOwnLayout({ type, children }: State): boolean {
    if (type !== "parallel") return false;
    const regionOf = new Map(
      children.flatMap((child) => [...everyState(child)].map(({ id }) => [id, child.id] as const)),
    );
    return arrows.every(({ source, target }) => regionOf.get(source) === regionOf.get(target));
  }

  function edge(arrow: Arrow): ElkExtendedEdge {
    const { id, source, target, labeled } = arrow;
    const isForward = order.get(target)! > order.get(source)!;
    return {
      id,
      sources: [source],
      targets: [target],
      layoutOptions: {
        "elk.layered.priority.direction": isForward ? "10" : "0", // states are placed in the order of their definition
        "elk.layered.priority.straightness": areNeighbors(arrow) ? "10" : "1",
        "elk.layered.priority.shortness": areNeighbors(arrow) ? "10" : "1",
      },
      labels: labeled.length === 0 ? [] : [{
        id: `${id} label`,
        text: labeled.map(({ label }) => label).join("\n"),
        ...labelSize(labeled),
        layoutOptions: { "elk.edgeLabels.inline": "true", "elk.edgeLabels.placement": "CENTER" },
      }],
    };
  }

  return {
    id: "chart",
    layoutOptions: {
      ...LAYERED,
      "elk.direction": "DOWN",
      "elk.hierarchyHandling": "INCLUDE_CHILDREN",
      "elk.json.shapeCoords": "ROOT",
      "elk.json.edgeCoords": "ROOT",
      "elk.padding": "[top=14,left=4,bottom=4,right=28]",
    },
    ...(hasFrame ? { children: [node(root)] } : inside(root)),
  };
}

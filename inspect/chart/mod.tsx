/** Statechart of an actor, drawn from the definition of its machine and from its journal. */
import { LRUCache } from "lru-cache";
import type { ElkNode } from "elkjs";
import type { AnyStateMachine } from "xstate";
import { condense } from "./condense.ts";
import { fold } from "./fold.ts";
import { fromMachine } from "./from_machine.ts";
import { Figure } from "./figure.tsx";
import { fromJournal } from "./from_journal.ts";
import { type Layout, layOut } from "./layout.ts";
import { everyState, type Model } from "./model.ts";
import { lastLeaf } from "./node_status.ts";
import { type NextStep, nextSteps } from "./movers.ts";
import { type JournalEntry, type TakenPath, tracePath } from "./path.ts";

export type { JournalEntry } from "./path.ts";

export interface ChartRequest {
  /** Undefined if this version does not know the machine: the chart then shows the journal alone. */
  machine: AnyStateMachine | undefined;
  /** Name and version of the machine, as stored in the row. */
  name: string;
  /** All rows up to the moment, in ascending order of their sequence. */
  journal: readonly JournalEntry[];
  /** Last sequence to show; absent: the present. */
  until?: number;
  /** Whether to draw only the groups of states that the actor is in. */
  isFolded?: boolean;
}

function trace({ machine, name, journal, until }: ChartRequest): { model: Model; path: TakenPath } {
  const model = machine ? fromMachine(machine) : fromJournal(name, journal);
  return { model, path: tracePath(model, journal, until) };
}

export interface Moment {
  /** The steps that can come next. */
  next: NextStep[];
  /** The state that each region of the parallel states reached last, by the region's key. */
  regions: Map<string, string>;
}

export interface Charts {
  render(request: ChartRequest): Promise<ReturnType<typeof Figure>>;
  /** Describes the moment that a chart shows. */
  describe(request: ChartRequest): Moment;
}

/** Renders charts. Caches layouts, which depend only on the machine and its participants. */
export function createCharts(): Charts {
  const layouts = new LRUCache<string, Promise<Layout>>({ max: 100 });
  let elk: Promise<{ layout(graph: ElkNode): Promise<ElkNode> }> | undefined;

  function layoutOf(model: Model): Promise<Layout> {
    const key = JSON.stringify(model);
    const cached = layouts.get(key);
    if (cached) return cached;
    const layout = layOut(model, async (graph) => await (await (elk ??= openElk())).layout(graph));
    layouts.set(key, layout);
    layout.catch(() => layouts.delete(key));
    return layout;
  }

  async function render(request: ChartRequest) {
    const { model, path } = trace(request);
    const condensed = condense(model);
    const drawn = request.isFolded ? fold(condensed, path.current) : condensed;
    const layout = await layoutOf(drawn).catch(() => undefined); // the page shows the text outline instead
    const next = nextSteps(model, path);
    return (
      <Figure
        model={condensed}
        layout={layout}
        path={path}
        next={next}
        known={request.machine !== undefined}
      />
    );
  }

  function describe(request: ChartRequest): Moment {
    const { model, path } = trace(request);
    const parallel = [...everyState(model.root)].filter(({ type }) => type === "parallel");
    const regions = parallel.flatMap(({ children }) => children).flatMap((region) => {
      const leaf = lastLeaf(region, path);
      return leaf ? [[region.key, leaf.key] as const] : [];
    });
    return { next: nextSteps(model, path), regions: new Map(regions) };
  }

  return { render, describe };
}

/** Loads the layout engine, which is large and only needed for charts. */
async function openElk() {
  const { default: elkjs } = await import("elkjs");
  return new elkjs.default();
}

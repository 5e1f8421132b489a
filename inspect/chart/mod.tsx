/** Statechart of an actor, drawn from the definition of its machine and from its journal. */
import { LRUCache } from "lru-cache";
import type { ElkNode } from "elkjs";
import type { AnyStateMachine } from "xstate";
import { condense } from "./condense.ts";
import { fromMachine } from "./from_machine.ts";
import { Figure } from "./figure.tsx";
import { fromJournal } from "./from_journal.ts";
import { type Layout, layOut } from "./layout.ts";
import type { Model } from "./model.ts";
import { type JournalEntry, tracePath } from "./path.ts";

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
}

export interface Charts {
  render(request: ChartRequest): Promise<ReturnType<typeof Figure>>;
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

  async function render({ machine, name, journal, until }: ChartRequest) {
    const model = machine ? fromMachine(machine) : fromJournal(name, journal);
    const path = tracePath(model, journal, until);
    const shown = condense(model);
    const layout = await layoutOf(shown).catch(() => undefined); // the page shows the text outline instead
    return <Figure model={shown} layout={layout} path={path} known={machine !== undefined} />;
  }

  return { render };
}

/** Loads the layout engine, which is large and only needed for charts. */
async function openElk() {
  const { default: elkjs } = await import("elkjs");
  return new elkjs.default();
}

/** The statechart of an actor: drawn from its machine's own definition, in the light of its journal. */
import { LRUCache } from "lru-cache";
import type { ElkNode } from "elkjs";
import elkjs from "elkjs";
import type { AnyStateMachine } from "xstate";
import { condense } from "./condense.ts";
import { describe } from "./describe.ts";
import { Figure } from "./figure.tsx";
import { fromJournal } from "./from_journal.ts";
import { type Layout, layOut } from "./layout.ts";
import type { Model } from "./model.ts";
import { type JournalEntry, trail } from "./trail.ts";

export type { JournalEntry } from "./trail.ts";

export interface ChartRequest {
  /** Undefined for one that this version does not know: the chart shows what the journal says. */
  machine: AnyStateMachine | undefined;
  /** The machine's name and version, as the row has it. */
  name: string;
  /** In the order of its sequence, from the beginning. */
  journal: readonly JournalEntry[];
  /** The last sequence that counts; absent for the present. */
  until?: number;
}

export interface Charts {
  render(request: ChartRequest): Promise<ReturnType<typeof Figure>>;
}

/** Layouts are kept: they depend on the machine and its participants, and on nothing that happens. */
export function createCharts(): Charts {
  const layouts = new LRUCache<string, Promise<Layout>>({ max: 100 });
  let elk: { layout(graph: ElkNode): Promise<ElkNode> } | undefined;

  function layoutOf(model: Model): Promise<Layout> {
    const key = JSON.stringify(model);
    const known = layouts.get(key);
    if (known) return known;
    const layout = layOut(model, (graph) => (elk ??= new elkjs.default()).layout(graph));
    layouts.set(key, layout);
    layout.catch(() => layouts.delete(key));
    return layout;
  }

  async function render({ machine, name, journal, until }: ChartRequest) {
    const model = machine ? describe(machine) : fromJournal(name, journal);
    const gone = trail(model, journal, until);
    const shown = condense(model);
    const layout = await layoutOf(shown).catch(() => undefined); // words are better than no page
    return <Figure model={shown} layout={layout} gone={gone} known={machine !== undefined} />;
  }

  return { render };
}

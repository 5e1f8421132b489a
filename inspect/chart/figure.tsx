/** A chart with everything around it: what is odd about it, its key, and the same in words. */
import { counted } from "../spans.ts";
import { Drawing } from "./draw.tsx";
import { InWords } from "./in_words.tsx";
import type { Layout } from "./layout.ts";
import type { Model } from "./model.ts";
import type { Trail } from "./trail.ts";

export function Figure(
  { model, layout, gone, known }: {
    model: Model;
    layout: Layout | undefined;
    gone: Trail;
    known: boolean;
  },
) {
  const title = `Statechart of ${model.name}`;
  return (
    <figure class="statechart">
      {!known && (
        <p class="chart-notice">
          This version does not know the machine {model.name}. The chart shows what its journal tells.
        </p>
      )}
      {gone.unknown.length > 0 && (
        <p class="chart-notice">
          {model.name} has no state {gone.unknown.join(", ")}, which the journal names.
        </p>
      )}
      {gone.statesOnly > 0 && (
        <p class="chart-notice">
          An earlier version recorded {counted(gone.statesOnly, "event")}{" "}
          without transitions. The chart shows the states of these events, but not their arrows.
        </p>
      )}
      {layout && (
        <div class="chart-scroll" role="region" aria-label={title} tabindex={0}>
          <Drawing layout={layout} trail={gone} title={`${title}; described in words below`} />
        </div>
      )}
      {layout && (
        <figcaption>
          <Key />
        </figcaption>
      )}
      <details open={!layout}>
        <summary>The chart in words</summary>
        <InWords model={model} trail={gone} />
      </details>
    </figure>
  );
}

/** What the looks of the drawing mean. */
function Key() {
  return (
    <ul class="chart-key">
      <li class="key-current">now here</li>
      <li class="key-alarming">now here, and somebody has to look</li>
      <li class="key-done">done</li>
      <li class="key-visited">was here</li>
      <li class="key-taken">way taken</li>
      <li class="key-never">never reached</li>
      <li>◇ on a condition</li>
      <li>↻ stays where it is</li>
    </ul>
  );
}

/** Statechart with its notices, its legend and a text outline. */
import { formatCount } from "../durations.ts";
import { Course } from "./course.tsx";
import { Drawing } from "./draw.tsx";
import { Outline } from "./outline.tsx";
import type { Layout } from "./layout.ts";
import type { Model } from "./model.ts";
import type { NextStep } from "./movers.ts";
import type { TakenPath } from "./path.ts";

export function Figure(
  { model, layout, path, next, known }: {
    model: Model;
    layout: Layout | undefined;
    path: TakenPath;
    next: readonly NextStep[];
    known: boolean;
  },
) {
  const title = `Statechart of ${model.name}`;
  return (
    <figure class="statechart">
      {!known && (
        <p class="chart-notice">
          This version does not know the machine{" "}
          {model.name}. The chart shows the states and transitions in its journal.
        </p>
      )}
      {path.unknown.length > 0 && (
        <p class="chart-notice">
          The journal contains a state that {model.name} does not have: {path.unknown.join(", ")}.
        </p>
      )}
      {path.statesOnly > 0 && (
        <p class="chart-notice">
          An earlier version recorded {formatCount(path.statesOnly, "event")}{" "}
          without transitions. The chart shows the states of these events, but not their arrows.
        </p>
      )}
      {layout && (
        <div class="chart-scroll" role="region" aria-label={title} tabindex={0}>
          <Drawing layout={layout} path={path} title={`${title}; described as text below`} />
        </div>
      )}
      <Course model={model} path={path} next={next} />
      {layout && (
        <figcaption>
          <Legend />
        </figcaption>
      )}
      <details open={!layout}>
        <summary>Chart as text</summary>
        <Outline model={model} path={path} />
      </details>
    </figure>
  );
}

/** Legend of the drawing. */
function Legend() {
  return (
    <ul class="chart-key">
      <li class="key-current">current</li>
      <li class="key-alarming">current, needs attention</li>
      <li class="key-done">done</li>
      <li class="key-visited">visited</li>
      <li class="key-taken">transition taken</li>
      <li class="key-itself">next, happens by itself</li>
      <li class="key-waits">next, waits for someone</li>
      <li class="key-never">never reached</li>
      <li>◇ conditional</li>
      <li>↻ stays in the state</li>
    </ul>
  );
}

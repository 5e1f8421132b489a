/** The steps that can come next as a list: what happens by itself, and who is waited for. */
import { capitalize } from "../labels.ts";
import { MOVER_LABELS, type NextStep } from "./movers.ts";

export function NextSteps({ steps }: { steps: readonly NextStep[] }) {
  return (
    <ul class="chart-next">
      {steps.map(({ from, label, target, mover }) => (
        <li class={mover === "itself" ? "itself" : "waits"}>
          <strong>{capitalize(label)}</strong> → {target}
          {from.length > 0 && `, for ${from.join(", ")}`} <span class="mover">({MOVER_LABELS[mover]})</span>
        </li>
      ))}
    </ul>
  );
}

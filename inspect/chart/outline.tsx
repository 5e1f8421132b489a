/** Text outline of a chart: nested lists for screen readers and for searching. */
import { transitionLabel } from "./measures.ts";
import type { Model, State } from "./model.ts";
import { countCurrent, lastLeaf, nodeStatus, timesTaken } from "./node_status.ts";
import type { TakenPath } from "./path.ts";

export function Outline({ model, path }: { model: Model; path: TakenPath }) {
  return (
    <ul class="chart-words">
      {model.root.children.map((state) => <StateItem state={state} model={model} path={path} />)}
    </ul>
  );
}

function StateItem({ state, model, path }: { state: State; model: Model; path: TakenPath }) {
  const { id, label, children, mergedRegions } = state;
  const status = nodeStatus(state, path);
  const outgoing = model.transitions.filter(({ source }) => source === id);
  return (
    <li class={status} aria-current={status === "current" ? "step" : undefined}>
      <strong>{label}</strong>
      {status === "never" ? "" : `: ${statusText(state, path)}`}
      {(outgoing.length > 0 || children.length > 0 || mergedRegions.length > 0) && (
        <ul>
          {outgoing.map((transition) => {
            const times = timesTaken(transition, path);
            const [target] = transition.targets;
            return (
              <li>
                {transitionLabel(transition).replace(" ◇", ", conditional")}
                {target !== undefined && target !== id && ` → ${labelOf(model, target)}`}
                {times > 0 && ` (taken ${times === 1 ? "once" : `${times} times`})`}
              </li>
            );
          })}
          {children.map((child) => <StateItem state={child} model={model} path={path} />)}
          {mergedRegions.map((region) => (
            <li>
              <strong>{region.label}</strong>: {lastLeaf(region, path)?.label ?? "not started"}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function statusText(state: State, path: TakenPath): string {
  const status = nodeStatus(state, path);
  if (status === "visited") return "visited";
  if (status === "open") return "contains the current state";
  const word = state.type === "final" ? "done" : "current";
  return state.representedIds.length > 1 ? `${countCurrent(state, path)} ${word}` : word;
}

function labelOf({ root }: Model, id: string): string {
  const find = (state: State): State | undefined =>
    state.id === id ? state : state.children.map(find).find((found) => found);
  return find(root)?.label ?? id;
}

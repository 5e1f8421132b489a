/** Chart for narrow screens: the states from top to bottom, and the steps that can come next. */
import { type Model, type State } from "./model.ts";
import { lastLeaf, nodeStatus } from "./node_status.ts";
import type { NextStep } from "./movers.ts";
import { NextSteps } from "./next_steps.tsx";
import type { TakenPath } from "./path.ts";

export function Course({ model, path, next }: { model: Model; path: TakenPath; next: readonly NextStep[] }) {
  return (
    <div class="chart-course">
      <ol>{model.root.children.map((state) => <Stage state={state} path={path} />)}</ol>
      {next.length > 0 && (
        <>
          <p>
            <strong>What can come next</strong>
          </p>
          <NextSteps steps={next} />
        </>
      )}
    </div>
  );
}

function Stage({ state, path }: { state: State; path: TakenPath }) {
  const status = nodeStatus(state, path);
  const inside = state.children.filter((child) => nodeStatus(child, path) !== "never");
  return (
    <li class={status} aria-current={status === "current" ? "step" : undefined}>
      <span class="sign" aria-hidden="true">{signOf(state, path)}</span> {state.label}
      {status === "current" && <span class="badge">{state.type === "final" ? "done" : "now"}</span>}
      {state.type === "parallel" && status !== "never"
        ? <Regions regions={regionsOf(state)} path={path} />
        : inside.length > 0 && <ol>{inside.map((child) => <Stage state={child} path={path} />)}</ol>}
    </li>
  );
}

/** Each region with the state that it reached last. */
function Regions({ regions, path }: { regions: readonly State[]; path: TakenPath }) {
  return (
    <ol>
      {regions.map((region) => {
        const leaf = lastLeaf(region, path);
        return (
          <li class={leaf ? nodeStatus(leaf, path) : "never"}>
            <span class="sign" aria-hidden="true">{leaf ? signOf(leaf, path) : "○"}</span> {region.label}:
            {" "}
            {leaf?.label ?? "Not started"}
          </li>
        );
      })}
    </ol>
  );
}

/** The regions of a parallel state, each of merged ones separately. */
function regionsOf({ children }: State): State[] {
  return children.flatMap((child) => child.mergedRegions.length > 0 ? child.mergedRegions : [child]);
}

function signOf(state: State, path: TakenPath): string {
  const status = nodeStatus(state, path);
  if (status === "never") return "○";
  return status === "visited" || state.type === "final" ? "✓" : "●";
}

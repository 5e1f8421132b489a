/** The same chart as nested lists, for whoever cannot see it or wants to search in it. */
import { wordsOf } from "./measures.ts";
import type { Model, State } from "./model.ts";
import { countOf, lastLeaf, standingOf, timesTaken } from "./standing.ts";
import type { Trail } from "./trail.ts";

export function InWords({ model, trail }: { model: Model; trail: Trail }) {
  return (
    <ul class="chart-words">
      {model.root.children.map((state) => <StateItem state={state} model={model} trail={trail} />)}
    </ul>
  );
}

function StateItem({ state, model, trail }: { state: State; model: Model; trail: Trail }) {
  const { id, label, children, alike } = state;
  const standing = standingOf(state, trail);
  const ways = model.transitions.filter(({ source }) => source === id);
  return (
    <li class={standing} aria-current={standing === "current" ? "step" : undefined}>
      <strong>{label}</strong>
      {standing === "never" ? "" : `: ${words(state, trail)}`}
      {(ways.length > 0 || children.length > 0 || alike.length > 0) && (
        <ul>
          {ways.map((way) => {
            const times = timesTaken(way, trail);
            const [target] = way.targets;
            return (
              <li>
                {wordsOf(way).replace(" ◇", ", on a condition")}
                {target !== undefined && target !== id && ` → ${labelOf(model, target)}`}
                {times > 0 && ` (taken ${times === 1 ? "once" : `${times} times`})`}
              </li>
            );
          })}
          {children.map((child) => <StateItem state={child} model={model} trail={trail} />)}
          {alike.map((region) => (
            <li>
              <strong>{region.label}</strong>: {lastLeaf(region, trail)?.label ?? "not begun"}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function words(state: State, trail: Trail): string {
  const standing = standingOf(state, trail);
  if (standing === "visited") return "was here";
  if (standing === "open") return "now inside";
  const word = state.type === "final" ? "done" : "now here";
  return state.stands.length > 1 ? `${countOf(state, trail)} ${word}` : word;
}

function labelOf({ root }: Model, id: string): string {
  const find = (state: State): State | undefined =>
    state.id === id ? state : state.children.map(find).find((found) => found);
  return find(root)?.label ?? id;
}

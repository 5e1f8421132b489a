/** State values of the journal: a name, or JSON if the state is nested. */
import type { StateValue } from "xstate";
import type { State } from "./model.ts";

/** Parses a state value. Other text counts as the name of a state, so that every journal is readable. */
export function parseState(text: string): StateValue {
  if (!text.startsWith("{")) return text;
  try {
    const value: unknown = JSON.parse(text);
    return isStateValue(value) ? value : text;
  } catch {
    return text;
  }
}

function isStateValue(value: unknown): value is StateValue {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    Object.values(value).every(isStateValue);
}

/** Parallel states at the top of a value, each with the value inside it. */
export function parts(value: StateValue): [key: string, inside: StateValue | undefined][] {
  return typeof value === "string" ? [[value, undefined]] : Object.entries(value);
}

/** IDs of all active states of a value, and the paths of those that the machine does not have. */
export function activeIn(root: State, value: StateValue): { active: Set<string>; unknown: string[] } {
  const active = new Set([root.id]);
  const unknown: string[] = [];
  const enter = (parent: State, value: StateValue, path: string) => {
    for (const [key, inside] of parts(value)) {
      const child = parent.children.find((child) => child.key === key);
      if (!child) {
        unknown.push(path + key);
        continue;
      }
      active.add(child.id);
      if (inside !== undefined) enter(child, inside, `${path}${key}.`);
    }
  };
  enter(root, value, "");
  return { active, unknown };
}

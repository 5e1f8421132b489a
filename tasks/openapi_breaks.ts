/**
 * Finds breaking changes between two OpenAPI documents. Optional additions and changed descriptions are allowed. Every
 * other difference counts as a break, so a missing rule causes a false alarm rather than a missed break.
 */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Node = { [key: string]: Json };

/** Writer of the described data: requests may require less than before, responses may contain more. */
type Side = "request" | "response";

const TEXTS = new Set(["description", "summary", "title", "example", "examples", "tags", "info"]);

/** @returns each break as its path in the document and a description */
export function findBreaks(before: unknown, after: unknown): string[] {
  const breaks: string[] = [];
  compare(resolve(before as Node), resolve(after as Node), { path: [], side: "response", breaks });
  return breaks;
}

interface Place {
  path: string[];
  side: Side;
  /** Collects what is found. */
  breaks: string[];
}

function compare(before: Json, after: Json, { path, side, breaks }: Place): void {
  const place = `#/${path.join("/")}`;
  const last = path.at(-1) ?? "";
  if (isNode(before) && isNode(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const holdsNames = isNames(path);
      if (TEXTS.has(key) && !holdsNames) continue;
      const below = key === "requestBody" || key === "parameters"
        ? "request"
        : key === "responses"
        ? "response"
        : side;
      if (!(key in after)) breaks.push(`${place}/${key} is missing`);
      else if (!(key in before)) {
        if (!mayBeAdded(key, after[key] ?? null, path)) breaks.push(`${place}/${key} is new`);
      } else compare(before[key] ?? null, after[key] ?? null, { path: [...path, key], side: below, breaks });
    }
  } else if (last === "required" && Array.isArray(before) && Array.isArray(after)) {
    const [more, fewer] = [minus(after, before), minus(before, after)];
    const wrong = side === "request" ? more : fewer;
    for (const name of wrong) {
      breaks.push(`${place} ${side === "request" ? "requires" : "no longer guarantees"} ${name}`);
    }
  } else if (last === "enum" && Array.isArray(before) && Array.isArray(after)) {
    const wrong = side === "request" ? minus(before, after) : minus(after, before);
    for (const value of wrong) {
      breaks.push(`${place} ${side === "request" ? "no longer accepts" : "may now be"} ${value}`);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    breaks.push(`${place} has changed`);
  }
}

/** Whether the keys of a node are our names rather than keywords of OpenAPI. */
function isNames(path: readonly string[]): boolean {
  const last = path.at(-1) ?? "";
  return ["properties", "responses", "paths", "headers", "parameters", "content", "schemas"].includes(last);
}

function mayBeAdded(key: string, value: Json, path: readonly string[]): boolean {
  if (path.at(-1) === "parameters" || key === "requestBody") {
    return !(isNode(value) && value.required === true);
  }
  if (path.at(-1) === "paths" || path.length === 2 && path[0] === "paths") return true; // a new operation
  return isNames(path) || key === "headers" || key === "parameters";
}

/** Resolves references, and replaces lists of parameters by objects with their names. */
function resolve(document: Node): Node {
  const resolved = (node: Json): Json => {
    if (Array.isArray(node)) return node.map(resolved);
    if (!isNode(node)) return node;
    const { $ref } = node;
    if (typeof $ref === "string") {
      const target = $ref.slice(2).split("/").reduce<Json>(
        (at, key) => isNode(at) ? at[key] ?? null : null,
        document,
      );
      return resolved(target);
    }
    return Object.fromEntries(
      Object.entries(node).map(([key, value]) => [key, byName(key, resolved(value))]),
    );
  };
  const { components: _, ...rest } = document;
  return resolved(rest) as Node;
}

function byName(key: string, value: Json): Json {
  if (key !== "parameters" || !Array.isArray(value)) return value;
  return Object.fromEntries(
    value.filter(isNode).map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]),
  );
}

const isNode = (value: Json | undefined): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const minus = (from: Json[], these: Json[]) => from.filter((value) => !these.includes(value));

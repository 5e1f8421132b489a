/**
 * What a new OpenAPI document breaks for those who rely on the old one. Allowed are additions that nobody has to
 * know of, and other words; every other difference counts as a break, so that a rule that is missing here asks once
 * too often rather than never.
 */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Node = { [key: string]: Json };

/** Who writes what a schema describes: callers may send less than before, but be sent more. */
type Side = "request" | "response";

const WORDS = new Set(["description", "summary", "title", "example", "examples", "tags", "info"]);

/** @returns each break as the path in the document and what has happened there */
export function findBreaks(before: unknown, after: unknown): string[] {
  const breaks: string[] = [];
  compare(resolve(before as Node), resolve(after as Node), [], "response", breaks);
  return breaks;
}

function compare(before: Json, after: Json, path: string[], side: Side, breaks: string[]): void {
  const place = `#/${path.join("/")}`;
  const last = path.at(-1) ?? "";
  if (isNode(before) && isNode(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const holdsNames = isNames(path);
      if (WORDS.has(key) && !holdsNames) continue;
      const below = key === "requestBody" || key === "parameters"
        ? "request"
        : key === "responses"
        ? "response"
        : side;
      if (!(key in after)) breaks.push(`${place}/${key} is gone`);
      else if (!(key in before)) {
        if (!mayBeAdded(key, after[key] ?? null, path)) breaks.push(`${place}/${key} is new`);
      } else compare(before[key] ?? null, after[key] ?? null, [...path, key], below, breaks);
    }
  } else if (last === "required" && Array.isArray(before) && Array.isArray(after)) {
    const [more, fewer] = [minus(after, before), minus(before, after)];
    const wrong = side === "request" ? more : fewer;
    for (const name of wrong) {
      breaks.push(`${place} ${side === "request" ? "demands" : "no longer promises"} ${name}`);
    }
  } else if (last === "enum" && Array.isArray(before) && Array.isArray(after)) {
    const wrong = side === "request" ? minus(before, after) : minus(after, before);
    for (const value of wrong) {
      breaks.push(`${place} ${side === "request" ? "no longer takes" : "may now be"} ${value}`);
    }
  } else if (JSON.stringify(before) !== JSON.stringify(after)) {
    breaks.push(`${place} is not what it was`);
  }
}

/** Whether the keys of a node are names of ours rather than words of OpenAPI. */
function isNames(path: readonly string[]): boolean {
  const last = path.at(-1) ?? "";
  return ["properties", "responses", "paths", "headers", "parameters", "content", "schemas"].includes(last);
}

function mayBeAdded(key: string, value: Json, path: readonly string[]): boolean {
  if (path.at(-1) === "parameters" || key === "requestBody") {
    return !(isNode(value) && value.required === true);
  }
  if (path.at(-1) === "paths" || path.length === 2 && path[0] === "paths") return true; // an operation
  return isNames(path) || key === "headers" || key === "parameters";
}

/** Without references, and with parameters by their names rather than by their places. */
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

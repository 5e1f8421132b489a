/** Operations of the API by path, from the definitions of its routes. */
import type { Api, RequestForm } from "./api.ts";

/** A path of the API. */
export interface Resource {
  /** Segments of the path. Parameters are undefined. */
  segments: readonly (string | undefined)[];
  /** Operations by method in upper case, HEAD included. */
  operations: Map<string, RequestForm>;
}

/**
 * Creates a function that finds the path's resource. As OpenAPI demands, a path without parameters has precedence: the
 * operations of `/customers/{customerId}` do not apply to `/customers/search`.
 */
export function createRouteTable(api: Api): (path: string) => Resource | undefined {
  const resources = new Map<string, Resource>();
  for (const definition of api.openAPIRegistry.definitions) {
    if (definition.type !== "route") continue;
    const { path, method, request } = definition.route;
    const resource = resources.get(path) ?? { segments: path.split("/").map(literal), operations: new Map() };
    resources.set(path, resource);
    const body = request?.body === undefined ? "NONE" : request.body.required ? "REQUIRED" : "OPTIONAL";
    const operation: RequestForm = { body, hasQuery: request?.query !== undefined };
    resource.operations.set(method.toUpperCase(), operation);
    if (method === "get") resource.operations.set("HEAD", operation);
  }
  // Literals first, from the left.
  const ordered = [...resources.values()].toSorted((one, other) => rank(one) < rank(other) ? -1 : 1);
  return (path) => {
    const segments = path.split("/");
    return ordered.find((resource) => matches(resource.segments, segments));
  };
}

/** Value of the Allow header. */
export function allowOf({ operations }: Resource): string {
  return [...operations.keys(), "OPTIONS"].join(", ");
}

const literal = (segment: string) => segment.startsWith("{") ? undefined : segment;

const rank = ({ segments }: Resource) =>
  segments.map((segment) => segment === undefined ? "1" : "0").join("");

function matches(template: Resource["segments"], segments: readonly string[]): boolean {
  return template.length === segments.length &&
    template.every((segment, at) => segment === undefined ? segments[at] !== "" : segment === segments[at]);
}

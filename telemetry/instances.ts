/** Which of several processes exports something: without that, their counters overwrite each other at a collector. */

const ID = "service.instance.id";

/**
 * What becomes of OTEL_RESOURCE_ATTRIBUTES for the processes that this one starts. Deno reads it as a process starts,
 * so nobody can say for itself which one it is.
 *
 * @param given the attributes of this process: `name=value` in a row, with commas between; an id of its own becomes the
 * beginning of theirs
 * @returns the attributes of one of them, by its place among those that run at the same time
 */
export function numberInstances(given = ""): (place: number) => string {
  const attributes = given.split(",").map((attribute) => attribute.trim());
  const isId = (attribute: string) => attribute.startsWith(`${ID}=`);
  const own = attributes.findLast(isId)?.slice(ID.length + 1) ?? crypto.randomUUID();
  const others = attributes.filter((attribute) => attribute !== "" && !isId(attribute));
  return (place) => [...others, `${ID}=${own}-${place}`].join(",");
}

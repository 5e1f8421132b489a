/** Instance IDs of worker processes. Without them their counters overwrite each other at a collector. */

const ID = "service.instance.id";

/**
 * Computes OTEL_RESOURCE_ATTRIBUTES of child processes. The parent sets it, because Deno reads it when a process starts.
 *
 * @param given this process's attributes as comma-separated `name=value`; its instance ID becomes the prefix of theirs
 * @returns the attributes of a child, by its index among the children
 */
export function instanceAttributes(given = ""): (index: number) => string {
  const attributes = given.split(",").map((attribute) => attribute.trim());
  const isId = (attribute: string) => attribute.startsWith(`${ID}=`);
  const own = attributes.findLast(isId)?.slice(ID.length + 1) ?? crypto.randomUUID();
  const others = attributes.filter((attribute) => attribute !== "" && !isId(attribute));
  return (index) => [...others, `${ID}=${own}-${index}`].join(",");
}

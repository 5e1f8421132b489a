/** docs/performance.md: text by people, with regions that the benchmarks write. */

/** Markers of a region, as Markdown comments. */
const markers = (name: string) => [`<!-- results of ${name} -->`, `<!-- end of ${name} -->`] as const;

/**
 * Replaces the content of a region.
 *
 * @throws {Error} the document lacks the region
 */
export function replaceRegion(document: string, name: string, content: string): string {
  const [begin, end] = markers(name);
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The document lacks the region "${begin}" … "${end}"`);
  return `${document.slice(0, from + begin.length)}\n\n${content}\n\n${document.slice(to)}`;
}

/** Names of the regions of a document, in order. */
export function regionsOf(document: string): string[] {
  return [...document.matchAll(/^<!-- results of (\w+) -->$/gm)].map(([, name]) => name!);
}

/** HTML in which nothing but our own markup is markup. */

/** Characters that no page may hold. */
// deno-lint-ignore no-control-regex -- that is what it looks for
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text between tags and for values of quoted attributes. */
export function escape(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** How deep a value is taken apart; what lies deeper is shown as JSON. */
const DEPTH = 12;

/** Any JSON value: objects as definition lists, arrays as lists. */
export function value(data: unknown, depth = 0): string {
  if (data === null || data === undefined || data === "") return `<span class="none">(none)</span>`;
  if (typeof data !== "object") return escape(String(data));
  if (depth === DEPTH) return escape(JSON.stringify(data));
  if (Array.isArray(data)) {
    if (data.length === 0) return value(null);
    return `<ol>${data.map((item) => `<li dir="auto">${value(item, depth + 1)}</li>`).join("")}</ol>`;
  }
  const entries = Object.entries(data);
  if (entries.length === 0) return value(null);
  return definitions(entries.map(([name, held]) => [name, value(held, depth + 1)]));
}

/** @param entries names as text, and what stands under them as HTML */
export function definitions(entries: readonly (readonly [name: string, html: string])[]): string {
  const rows = entries.map(([name, html]) =>
    `<dt dir="auto">${escape(name)}</dt><dd dir="auto">${html}</dd>`
  );
  return `<dl>${rows.join("")}</dl>`;
}

/** A moment of ours. */
export function time(date: Date): string {
  const iso = date.toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC</time>`;
}

/** HTML rendering of untrusted values: escapes all text. */

/** Characters that HTML forbids. */
// deno-lint-ignore no-control-regex -- matches control characters
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text between tags and in quoted attributes. */
export function escape(text: string): string {
  return text.replace(FORBIDDEN, "\ufffd").replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Maximum depth of nested lists; deeper values are rendered as JSON. */
const MAX_DEPTH = 12;

/**
 * Renders any JSON value: objects as definition lists, arrays as lists.
 *
 * @param none text for an empty value
 */
export function value(data: unknown, none: string, depth = 0): string {
  if (data === null || data === undefined || data === "") {
    return `<span class="none">${escape(none)}</span>`;
  }
  if (typeof data !== "object") return escape(String(data));
  if (depth === MAX_DEPTH) return escape(JSON.stringify(data));
  if (Array.isArray(data)) {
    if (data.length === 0) return value(null, none);
    return `<ol>${data.map((item) => `<li dir="auto">${value(item, none, depth + 1)}</li>`).join("")}</ol>`;
  }
  const entries = Object.entries(data);
  if (entries.length === 0) return value(null, none);
  return definitions(entries.map(([name, item]) => [name, value(item, none, depth + 1)]));
}

/** Renders a definition list. The names are text, the values are HTML. */
export function definitions(entries: readonly (readonly [name: string, html: string])[]): string {
  const rows = entries.map(([name, html]) =>
    `<dt dir="auto">${escape(name)}</dt><dd dir="auto">${html}</dd>`
  );
  return `<dl>${rows.join("")}</dl>`;
}

/** Renders a time. @param format formats it for people */
export function time(date: Date, format: (date: Date) => string): string {
  return `<time datetime="${date.toISOString()}">${escape(format(date))}</time>`;
}

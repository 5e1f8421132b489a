/** Forms of a page, as a browser would send them. */
import assert from "node:assert/strict";

export interface PageForm {
  /** Path that the form is sent to. */
  path: string;
  /** Values of its fields, the hidden ones included. */
  values: Record<string, string>;
}

/** The forms that are sent by POST. */
export function formsOf(page: string): PageForm[] {
  return [...page.matchAll(/<form [^>]*method="post" action="([^"]*)"[^>]*>([^]*?)<\/form>/g)].map((
    [, path = "", contents = ""],
  ) => ({ path: unescape(path), values: valuesOf(contents) }));
}

/** Returns the form of a command, of an address or group if `target` is given. */
export function findForm(page: string, action: string, target?: string): PageForm | undefined {
  return formsOf(page).find(({ values }) =>
    values.action === action && (target === undefined || values.target === target)
  );
}

export function formOf(page: string, action: string, target?: string): PageForm {
  const form = findForm(page, action, target);
  assert.ok(form, `no form ${action} ${target ?? ""}`);
  return form;
}

export function valuesOf(form: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const [, name = ""] = / name="([^"]*)"/.exec(tag) ?? [];
    if (tag.includes('type="checkbox"') && !/ checked/.test(tag)) continue;
    values[name] = unescape(/ value="([^"]*)"/.exec(tag)?.[1] ?? "");
  }
  for (const [, name = "", text = ""] of form.matchAll(/<textarea[^>]* name="([^"]*)"[^>]*>([^<]*)</g)) {
    values[name] = unescape(text);
  }
  for (
    const [, name = "", options = ""] of form.matchAll(/<select[^>]* name="([^"]*)"[^>]*>([^]*?)<\/select>/g)
  ) {
    values[name] = /value="([^"]*)" selected/.exec(options)?.[1] ?? "";
  }
  return values;
}

const unescape = (text: string) =>
  text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");

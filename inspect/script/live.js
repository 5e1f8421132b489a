/** Live updates: reloads the parts of a page that have changed on the server, and announces it. */
// inspect/assets.ts serves vendor/idiomorph under this name, and deno.json resolves it for type checks.
import { Idiomorph } from "./idiomorph.js";
import { centerActive, localizeTimes } from "./view.js";

const NOT_LIVE = "Live updates are interrupted: reload the page to see changes";
const FORM_IN_USE = "Everything is up to date except the form that you are filling in";
const SIGNED_OUT = "You are signed out, or the page no longer exists: copy what you wrote, then reload";
/** Backoff before a refused stream is opened again, in milliseconds. */
const [MIN_BACKOFF_MS, MAX_BACKOFF_MS] = [1_000, 60_000];

/** Idiomorph matches elements by ID. The `open` attribute of details belongs to the viewer. */
const MORPH = { callbacks: { beforeAttributeUpdated: (name) => name !== "open" } };

/** Statuses that mean that the page is permanently unavailable. */
const GONE_STATUSES = [401, 403, 404];

export function follow() {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  let refused = 0;
  let updates = Promise.resolve();
  listen();

  function listen() {
    const stream = new EventSource(page.dataset.live);
    stream.addEventListener("open", () => {
      refused = 0;
      if (announcement() === NOT_LIVE) say("");
    });
    stream.addEventListener("now", ({ data }) => {
      // One update at a time, so that an older response never replaces a newer one.
      updates = updates.then(() => data === page.dataset.shown ? undefined : update(page)).catch(report);
    });
    stream.addEventListener("error", () => {
      const pause = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** refused++);
      // One error can be a proxy that closes a long connection: the browser reconnects. It does not after a refusal.
      const closed = stream.readyState === EventSource.CLOSED;
      if (closed || refused > 1) say(NOT_LIVE);
      if (closed) setTimeout(listen, pause * (0.5 + Math.random() / 2));
    });
  }
}

/** Fetches the page and replaces each part that has changed. */
async function update(page) {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.redirected || GONE_STATUSES.includes(response.status)) return leave();
  if (!response.ok) return report(); // the old content stays
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  localizeTimes(fresh); // the current page has local times too
  let changed = false;
  let skipped = false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!other || !differs(part, other)) continue;
    if (isInUse(part)) {
      skipped = true;
      continue;
    }
    Idiomorph.morph(part, other, MORPH);
    changed = true;
    if (!part.contains(document.activeElement)) centerActive(part);
  }
  if (skipped) return say(FORM_IN_USE); // the next event tries again
  page.dataset.shown = fresh.querySelector("[data-shown]")?.dataset.shown ?? "";
  if (changed || announcement() !== "") say(`Updated at ${new Date().toLocaleTimeString()}`);
}

/** Whether the viewer is filling in a form of the part. @param {Element} part */
function isInUse(part) {
  const form = document.activeElement?.closest("form, details[open]:has(> form)");
  return form && part.contains(form) || hasInput(part);
}

/** Whether two parts differ in more than in which details are open. @param {Element} part @param {Element} other */
function differs(part, other) {
  return !closed(part).isEqualNode(closed(other));
}

/** A copy of a part with all details closed. @param {Element} part */
function closed(part) {
  const copy = part.cloneNode(true);
  for (const details of copy.querySelectorAll("details[open]")) details.removeAttribute("open");
  return copy;
}

/** Whether a field differs from its default. @param {ParentNode} part */
function hasInput(part) {
  if (part.querySelector("[data-keep]")) return true;
  const hasText = [...part.querySelectorAll("input, textarea")].some((field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue
  );
  return hasText ||
    [...part.querySelectorAll("select")].some((select) =>
      select.selectedIndex !== Math.max(0, [...select.options].findIndex((option) => option.defaultSelected))
    );
}

/** Loads the address again, which shows the sign-in form or the error page. */
function leave() {
  if (hasInput(document)) return say(SIGNED_OUT);
  // `reload` would send a form again, and an address with a fragment would not be loaded.
  location.replace(`${location.pathname}${location.search}`);
}

function report() {
  say(`Update failed at ${new Date().toLocaleTimeString()}: the page tries again`);
}

const announcement = () => document.getElementById("said")?.textContent;

function say(words) {
  const line = document.getElementById("said");
  if (line && line.textContent !== words) line.textContent = words;
}

/** A page that renews itself as often as the server has something else to show, and says so when it does not. */
// The file of vendor/idiomorph: inspect/assets.ts serves it under this name, and deno.json resolves it for type checks.
import { Idiomorph } from "./idiomorph.js";
import { centre, localise } from "./look.js";

const NOT_LIVE = "Not live at the moment: reload to see what is new";
const WAITS = "All is up to date but the form that is being filled in";
const LEFT = "You are signed out, or the page is gone: copy what you have written, then reload";
/** Before a stream that was refused is asked for again, growing with each refusal; in milliseconds. */
const [SHORTEST, LONGEST] = [1_000, 60_000];

/** Elements keep their identity by their id. Which details are open is up to the viewer. */
const MORPH = { callbacks: { beforeAttributeUpdated: (name) => name !== "open" } };

/** The answers in place of a page, and not for a moment only. */
const GONE = [401, 403, 404];

export function follow() {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  let refused = 0;
  let renewed = Promise.resolve();
  listen();

  function listen() {
    const stream = new EventSource(page.dataset.live);
    stream.addEventListener("open", () => {
      refused = 0;
      if (said() === NOT_LIVE) say("");
    });
    stream.addEventListener("now", ({ data }) => {
      // One after the other, so that an older answer never replaces a newer one.
      renewed = renewed.then(() => data === page.dataset.shown ? undefined : renew(page)).catch(report);
    });
    stream.addEventListener("error", () => {
      const pause = Math.min(LONGEST, SHORTEST * 2 ** refused++);
      // Once is a proxy that cuts what is long, and the browser connects again by itself; not where it was refused.
      const closed = stream.readyState === EventSource.CLOSED;
      if (closed || refused > 1) say(NOT_LIVE);
      if (closed) setTimeout(listen, pause * (0.5 + Math.random() / 2));
    });
  }
}

/** Puts what the server shows now in the place of what stands here, part by part. */
async function renew(page) {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.redirected || GONE.includes(response.status)) return leave();
  if (!response.ok) return report(); // what stands here is better than nothing
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  localise(fresh); // as what it is compared with
  let changed = false;
  let kept = false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!other || !differs(part, other)) continue;
    if (isInUse(part)) {
      kept = true;
      continue;
    }
    Idiomorph.morph(part, other, MORPH);
    changed = true;
    if (!part.contains(document.activeElement)) centre(part);
  }
  if (kept) return say(WAITS); // and is looked at again, when the server next says what there is
  page.dataset.shown = fresh.querySelector("[data-shown]")?.dataset.shown ?? "";
  if (changed || said() !== "") say(`Updated at ${new Date().toLocaleTimeString()}`);
}

/** What somebody is writing in stays theirs. @param {Element} part */
function isInUse(part) {
  const form = document.activeElement?.closest("form, details[open]:has(> form)");
  return form && part.contains(form) || isWrittenIn(part);
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

/** Whether somebody has filled something in. @param {ParentNode} part */
function isWrittenIn(part) {
  if (part.querySelector("[data-keep]")) return true;
  const written = [...part.querySelectorAll("input, textarea")].some((field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue
  );
  return written ||
    [...part.querySelectorAll("select")].some((select) =>
      select.selectedIndex !== Math.max(0, [...select.options].findIndex((option) => option.defaultSelected))
    );
}

/** To where the server sends who asks for this page now. */
function leave() {
  if (isWrittenIn(document)) return say(LEFT);
  // Not a reload: that would send again what a form has sent. And not with what is behind #: that would be no load.
  location.replace(`${location.pathname}${location.search}`);
}

function report() {
  say(`Could not be updated at ${new Date().toLocaleTimeString()}: it is tried again`);
}

const said = () => document.getElementById("said")?.textContent;

function say(words) {
  const line = document.getElementById("said");
  if (line && line.textContent !== words) line.textContent = words;
}

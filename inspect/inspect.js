/**
 * All the script there is: times in the viewer's zone, pages that renew themselves, charts that show where they are,
 * arrow keys for steps, and a question before a deed.
 */

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {ParentNode} root */
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = exact.format(new Date(time.getAttribute("datetime") ?? ""));
  }
}

/** Around what is active in a chart, in pixels. */
const MARGIN = 24;

/** Brings what is active in a chart into sight, and what goes on there into the middle. @param {ParentNode} root */
function centre(root) {
  for (const box of root.querySelectorAll(".chart-scroll")) {
    const active = [...box.querySelectorAll('[data-standing="current"]')];
    if (active.length === 0) continue;
    const going = active.filter((mark) => !mark.classList.contains("final"));
    const frame = box.getBoundingClientRect();
    const { top, bottom } = around(going.length > 0 ? going : active);
    // What does not fit begins at its beginning.
    const high = bottom - top < box.clientHeight;
    box.scrollTop += high ? (top + bottom - frame.top - frame.bottom) / 2 : top - frame.top - MARGIN;
    // It is read from the left, so it moves no further than it has to.
    const { left, right } = around(active);
    const hidden = box.scrollLeft + right - frame.left + MARGIN - box.clientWidth;
    box.scrollLeft = Math.max(0, Math.min(hidden, box.scrollLeft + left - frame.left - MARGIN));
  }
}

/** The rectangle around elements. @param {Element[]} marks */
function around(marks) {
  const boxes = marks.map((mark) => mark.getBoundingClientRect());
  return {
    top: Math.min(...boxes.map(({ top }) => top)),
    left: Math.min(...boxes.map(({ left }) => left)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
    right: Math.max(...boxes.map(({ right }) => right)),
  };
}

/** Whether somebody has filled something in. @param {Element} part */
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

/** Puts what the server shows now in the place of what stands here, part by part, so that nothing else moves. */
async function renew(page) {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (response.status === 429 || response.status >= 500) return; // what stands here is better than nothing
  // Not a reload: that would send again what a form has sent.
  if (!response.ok || response.redirected) return location.replace(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  localise(fresh); // as what it is compared with
  let changed = false;
  let kept = false;
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.getAttribute("data-part")}"]`);
    if (!other || part.innerHTML === other.innerHTML) continue;
    // What somebody is writing in, or has opened, stays theirs.
    if (part.contains(document.activeElement) || isWrittenIn(part)) {
      kept = true;
      continue;
    }
    const open = new Set([...part.querySelectorAll("details[open][id]")].map(({ id }) => id));
    part.replaceChildren(...other.childNodes);
    for (const id of open) part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    centre(part);
    changed = true;
  }
  // What has been kept is looked at again, when the server next says what there is.
  if (!kept) page.dataset.shown = fresh.querySelector("[data-shown]")?.dataset.shown ?? "";
  const said = document.getElementById("said");
  if (said && changed) said.textContent = `Updated at ${new Date().toLocaleTimeString()}`;
}

/** Renews the page as often as the server has something else to show. */
function follow() {
  const page = document.querySelector("[data-live]");
  if (!page) return;
  let renewed = Promise.resolve();
  new EventSource(page.dataset.live).addEventListener("now", ({ data }) => {
    // One after the other, so that an older answer never replaces a newer one.
    renewed = renewed.then(() => data === page.dataset.shown ? undefined : renew(page)).catch(() => {});
  });
}

document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement && event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

/** Left and right go where the page has links for them, unless they are needed for something else. */
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.activeElement !== document.body && document.activeElement?.id !== "main") return;
  document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
});

localise(document);
centre(document);
follow();

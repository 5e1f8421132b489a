/** View setup of a loaded page: local times and scroll positions. */

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Shows times in the viewer's time zone. @param {ParentNode} root */
export function localizeTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = exact.format(new Date(time.getAttribute("datetime") ?? ""));
  }
}

/** Space around the active states of a chart, in pixels. */
const MARGIN = 24;

/** Scrolls charts to their active states, centered on those that are not final. @param {ParentNode} root */
export function centerActive(root) {
  for (const box of root.querySelectorAll(".chart-scroll")) {
    const active = [...box.querySelectorAll('[data-status="current"]')];
    if (active.length === 0) continue;
    const unfinished = active.filter((mark) => !mark.classList.contains("final"));
    const frame = box.getBoundingClientRect();
    const { top, bottom } = bounds(unfinished.length > 0 ? unfinished : active);
    // What does not fit is aligned at its top.
    const fits = bottom - top < box.clientHeight;
    box.scrollTop += fits ? (top + bottom - frame.top - frame.bottom) / 2 : top - frame.top - MARGIN;
    // Text is read from the left, so scroll as little as possible.
    const { left, right } = bounds(active);
    const hidden = box.scrollLeft + right - frame.left + MARGIN - box.clientWidth;
    box.scrollLeft = Math.max(0, Math.min(hidden, box.scrollLeft + left - frame.left - MARGIN));
  }
}

/** Bounding rectangle of elements. @param {Element[]} marks */
function bounds(marks) {
  const boxes = marks.map((mark) => mark.getBoundingClientRect());
  return {
    top: Math.min(...boxes.map(({ top }) => top)),
    left: Math.min(...boxes.map(({ left }) => left)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
    right: Math.max(...boxes.map(({ right }) => right)),
  };
}

/** Scrolls the timeline to the event that the page shows. */
export function scrollToMoment() {
  const moment = document.querySelector(".moment.here");
  const box = moment?.closest(".tall");
  if (!box) return;
  const [frame, mark] = [box.getBoundingClientRect(), moment.getBoundingClientRect()];
  box.scrollTop += (mark.top + mark.bottom - frame.top - frame.bottom) / 2;
}

/** What a page is given once it is there: times in the viewer's zone, and what it is about in sight. */

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Instants in the viewer's zone. @param {ParentNode} root */
export function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = exact.format(new Date(time.getAttribute("datetime") ?? ""));
  }
}

/** Around what is active in a chart, in pixels. */
const MARGIN = 24;

/** Brings what is active in a chart into sight, and what goes on there into the middle. @param {ParentNode} root */
export function centre(root) {
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

/** Brings the moment that the page is about into the middle of its timeline, where that scrolls by itself. */
export function findMoment() {
  const moment = document.querySelector(".moment.here");
  const box = moment?.closest(".tall");
  if (!box) return;
  const [frame, mark] = [box.getBoundingClientRect(), moment.getBoundingClientRect()];
  box.scrollTop += (mark.top + mark.bottom - frame.top - frame.bottom) / 2;
}

/**
 * Entry script of the pages: local times, live updates, scrolling to the current state, and arrow keys for the steps
 * through the journal.
 */
import { follow } from "./live.js";
import { centerActive, localizeTimes, scrollToMoment } from "./view.js";

/** Arrow keys follow the links with their `data-key`, unless another element has the focus. */
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.activeElement !== document.body && document.activeElement?.id !== "main") return;
  document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
});

/** The slider names the change of state while it moves, and shows it when it is released. */
function travel() {
  addEventListener("input", ({ target }) => {
    if (!target.matches(".travel input[type=range]")) return;
    const { list, value, form } = target;
    form.querySelector("output").textContent = list.querySelector(`[value="${value}"]`)?.label ?? value;
  });
  addEventListener("change", ({ target }) => {
    if (target.matches(".travel input[type=range]")) target.form.requestSubmit();
  });
  document.documentElement.classList.add("scripted");
}

/** Removes `done` and `changed` from the address, so that a reload or a bookmark does not repeat their message. */
function forgetDone() {
  const address = new URL(location.href);
  const names = ["done", "changed"].filter((name) => address.searchParams.has(name));
  if (names.length === 0) return;
  for (const name of names) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

/** The chosen size of the chart stays while the viewer steps through the past. */
function keepSize() {
  const kept = document.querySelector(
    `.chart-zoom [value="${CSS.escape(sessionStorage.getItem("chart-size") ?? "")}"]`,
  );
  if (kept) kept.checked = true;
  addEventListener("change", ({ target }) => {
    if (!target.matches(".chart-zoom input")) return;
    sessionStorage.setItem("chart-size", target.value);
    centerActive(document);
  });
}

travel();
keepSize();
forgetDone();
localizeTimes(document);
centerActive(document);
scrollToMoment();
follow();

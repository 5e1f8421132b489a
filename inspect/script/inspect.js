/**
 * All the script there is: times in the viewer's zone, pages that renew themselves, charts and timelines that show
 * where they are, arrow keys for steps, and an address that says nothing twice.
 */
import { follow } from "./live.js";
import { centre, findMoment, localise } from "./look.js";

/** Left and right go where the page has links for them, unless they are needed for something else. */
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (document.activeElement !== document.body && document.activeElement?.id !== "main") return;
  document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
});

/** What has been done is told once: not again by a reload, nor by a bookmark. */
function forgetDone() {
  const address = new URL(location.href);
  if (!address.searchParams.has("done")) return;
  address.searchParams.delete("done");
  history.replaceState(history.state, "", address);
}

forgetDone();
localise(document);
centre(document);
findMoment();
follow();

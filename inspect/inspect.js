/** All the script there is: times in the viewer's zone, pages that renew themselves, and a question before a deed. */

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {ParentNode} root */
function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = exact.format(new Date(time.getAttribute("datetime") ?? ""));
  }
}

/** Puts what the server shows now in the place of what stands here, part by part, so that nothing else moves. */
async function renew() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.getAttribute("data-part")}"]`);
    // What somebody is writing in, or has opened, stays theirs.
    if (!other || part.innerHTML === other.innerHTML || part.contains(document.activeElement)) continue;
    const open = new Set([...part.querySelectorAll("details[open][id]")].map(({ id }) => id));
    part.replaceChildren(...other.childNodes);
    for (const id of open) part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    localise(part);
  }
  const said = document.getElementById("said");
  if (said) said.textContent = `Updated at ${new Date().toLocaleTimeString()}`;
}

function follow() {
  const path = document.querySelector("[data-live]")?.getAttribute("data-live");
  if (!path) return;
  const source = new EventSource(path);
  source.addEventListener("changed", renew);
  // After a break something may have been missed.
  let broken = false;
  source.addEventListener("error", () => broken = true);
  source.addEventListener("open", () => {
    if (broken) renew();
    broken = false;
  });
}

document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement && event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

localise(document);
follow();

/**
 * Makes what stands on a page what another page has there, and touches nothing that is the same: so the focus, how
 * far something is scrolled and what somebody has opened stay as they are.
 *
 * @param {Element} here
 * @param {Element} there it is used up
 * @returns {boolean} whether anything has changed
 */
export function become(here, there) {
  let changed = becomeAlike(here, there);
  let mine = here.firstChild;
  for (const theirs of [...there.childNodes]) {
    const same = find(theirs, mine);
    if (!same) {
      here.insertBefore(theirs, mine);
      changed = true;
      continue;
    }
    if (dropUntil(same, mine)) changed = true;
    if (theirs instanceof Element) changed = become(same, theirs) || changed;
    else if (same.data !== theirs.data) {
      same.data = theirs.data;
      changed = true;
    }
    mine = same.nextSibling;
  }
  return dropUntil(null, mine) || changed;
}

/** The attributes; what is open is up to who reads. */
function becomeAlike(here, there) {
  let changed = false;
  for (const { name, value } of [...there.attributes]) {
    if (name === "open" || here.getAttribute(name) === value) continue;
    here.setAttribute(name, value);
    changed = true;
  }
  for (const { name } of [...here.attributes]) {
    if (name === "open" || there.hasAttribute(name)) continue;
    here.removeAttribute(name);
    changed = true;
  }
  return changed;
}

/** The same thing, from a node on: of the same kind, and by the same name where it has one. */
function find(wanted, from) {
  for (let node = from; node; node = node.nextSibling) {
    if (node.nodeName === wanted.nodeName && nameOf(node) === nameOf(wanted)) return node;
  }
}

function nameOf(node) {
  return node instanceof Element ? node.id || node.dataset.row || node.dataset.sequence : undefined;
}

/** Takes away a node and those after it, up to another one. */
function dropUntil(end, node) {
  const dropped = node !== end;
  while (node && node !== end) {
    const gone = node;
    node = node.nextSibling;
    gone.remove();
  }
  return dropped;
}

/** Layout of all pages. */
import type { Child } from "@hono/hono/jsx";
import { html } from "@hono/hono/html";
import { digest } from "./live.ts";
import { Menu } from "./menu.tsx";
import { type InspectContext, inStore } from "./session.ts";

/** Maximum number of characters in the search box. */
export const MAX_SEARCH = 254;

export interface PageOptions {
  /** IDs and labels only, no personal values: browsers and logs store titles. */
  title: string;
  /** Path of the page's event stream, and the fingerprint of its content; absent if the page does not change. */
  live?: { path: string; fingerprint: string };
  /** Fragment of the page's list, which a second skip link leads to. */
  list?: string;
  /** Text in the search box; absent: empty. */
  search?: string;
  children: Child;
}

export function Page({ c, title, live, list, search, children }: PageOptions & { c: InspectContext }) {
  const { csrf } = c.var;
  return (
    <Frame title={title} list={list}>
      <header class="bar">
        <Menu c={c} />
        <SearchBox c={c} text={search} />
        <div class="who">
          <Store c={c} />
          {csrf !== undefined && (
            <form method="post" action="/inspect/sign-out">
              <input type="hidden" name="csrf" value={csrf} />
              <button type="submit" class="quiet">Sign out</button>
            </form>
          )}
        </div>
      </header>
      <main
        id="main"
        data-live={live?.path}
        data-shown={live && digest(live.fingerprint)}
        tabindex={-1}
      >
        <h1>{title}</h1>
        {children}
      </main>
    </Frame>
  );
}

/** Sent by POST, because an email or a name must not be in an address. */
function SearchBox({ c, text }: { c: InspectContext; text: string | undefined }) {
  return (
    <form class="search" role="search" method="post" action={inStore(c, "/inspect/search")}>
      {c.var.csrf !== undefined && <input type="hidden" name="csrf" value={c.var.csrf} />}
      <label for="search" class="said-only">Email, name, phone or ID</label>
      <input
        type="search"
        id="search"
        name="text"
        value={text}
        placeholder="Email, name, phone or ID"
        maxlength={MAX_SEARCH}
        required
        autocomplete="off"
        spellcheck={false}
      />
      <button type="submit" class="quiet">Search</button>
    </form>
  );
}

/** Store that the page shows, with links to the person's other stores. */
function Store({ c }: { c: InspectContext }) {
  const { by: { storeId }, stores } = c.var;
  const current = (
    <>
      Store <code>{storeId}</code>
    </>
  );
  const others = stores.filter((other) => other.storeId !== storeId);
  if (others.length === 0) return <span>{current}</span>;
  return (
    <details class="stores">
      <summary>{current}</summary>
      <ul aria-label="Your other stores">
        {others.map((other) => (
          <li>
            <a href={`/inspect?store=${other.storeId}`}>
              <code>{other.storeId}</code>
            </a>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** HTML document with the inspector's own stylesheets and script. */
export function Frame(
  { title, list, children }: { title: string; list?: string | undefined; children: Child },
) {
  return (
    <>
      {html`<!doctype html>`}
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>{title} · customer-service</title>
          <link rel="icon" href="/inspect/assets/icon.svg" />
          <link rel="stylesheet" href="/inspect/assets/chart.css" />
          <link rel="stylesheet" href="/inspect/assets/inspect.css" />
          <link rel="stylesheet" href="/inspect/assets/overview.css" />
          <link rel="stylesheet" href="/inspect/assets/timeline.css" />
          <link rel="stylesheet" href="/inspect/assets/request.css" />
          <link rel="stylesheet" href="/inspect/assets/search.css" />
          <link rel="stylesheet" href="/inspect/assets/settings.css" />
          <link rel="stylesheet" href="/inspect/assets/customer.css" />
          <link rel="stylesheet" href="/inspect/assets/print.css" media="print" />
          <script src="/inspect/assets/inspect.js" type="module"></script>
        </head>
        <body>
          <a class="skip" href="#main">Skip to the content</a>
          {list !== undefined && <a class="skip" href={list}>Skip to the list</a>}
          {children}
          <p id="said" role="status" aria-live="polite" class="said"></p>
        </body>
      </html>
    </>
  );
}

/** Point in time: in UTC without a script and on hover, in the viewer's time zone with one. */
export function Instant({ at }: { at: Date }) {
  const exact = at.toISOString();
  return <time datetime={exact} title={exact}>{exact.slice(0, 16).replace("T", " ")} UTC</time>;
}

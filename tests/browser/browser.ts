/** Windows of a real Chromium that reaches this machine alone. Without one its tests are skipped by name. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Principal } from "../../domain/principal.ts";
import { watch } from "./watch.ts";

const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
/** A Chromium that is missing fails the tests. */
const REQUIRED = Deno.env.get("REQUIRE_BROWSER") === "1";
const FLAGS = [
  "--no-sandbox", // root's Chromium does not start otherwise; it sees our own pages only
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
/** However busy the machine is, in milliseconds. */
const PATIENCE_MS = 30_000;

export interface Visit extends AsyncDisposable {
  page: Page;
  /** Another tab of the same person. */
  tab(): Promise<Page>;
}

/** Where the pages are; a page that asks anybody else fails the test. */
export interface Place {
  origin: string;
  token?(principal: Principal): Promise<string>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Who is signed in; absent for somebody who comes from the street. */
  as?: Principal;
}

/** Opens a window with cookies of its own. Closing it says what its pages should not have done. */
export type OpenVisit = (place: Place, options?: VisitOptions) => Promise<Visit>;

let browser: Browser | undefined;

/** A test that is skipped by name where there is no Chromium; those of a file share one. */
export function browserTest(name: string, fn: (open: OpenVisit) => Promise<void>): void {
  const ignore = !REQUIRED && !isThere(EXECUTABLE);
  Deno.test({ name, ignore, fn: () => fn(openVisit) });
}

Deno.test.afterAll(async () => await browser?.close());
Deno.test.beforeAll(async () => {
  if (REQUIRED || isThere(EXECUTABLE)) {
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  }
});

async function openVisit({ origin, token }: Place, { as, ...options }: VisitOptions = {}): Promise<Visit> {
  if (!browser) throw new Error(`Cannot open a page: ${EXECUTABLE} has not started`);
  const context = await browser.newContext({
    baseURL: origin,
    locale: "en-GB",
    timezoneId: "Europe/Zurich",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const seen = watch(context, origin);
  if (as && token) await context.addCookies([sessionOf(origin, await token(as))]);
  const page = await context.newPage();
  return {
    page,
    tab: () => context.newPage(),
    async [Symbol.asyncDispose]() {
      await context.close();
      seen.complain();
    },
  };
}

/** What signing in leaves in the browser. */
function sessionOf(origin: string, token: string) {
  const { hostname: domain } = new URL(origin);
  return {
    name: "customer-service-inspector",
    value: token,
    domain,
    path: "/inspect",
    httpOnly: true,
    sameSite: "Strict" as const,
  };
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

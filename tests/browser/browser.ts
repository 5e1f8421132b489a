/** Windows of a real Chromium that can reach this machine only. Without Chromium the tests are skipped. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { Principal } from "../../domain/principal.ts";
import { checkPages } from "./page_checks.ts";

const EXECUTABLE = Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium";
/** Makes a missing Chromium an error. */
const REQUIRED = Deno.env.get("REQUIRE_BROWSER") === "1";
const FLAGS = [
  "--no-sandbox", // Chromium requires it for root; it opens our own pages only
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
/** For busy machines. */
const TIMEOUT_MS = 30_000;

export interface Visit extends AsyncDisposable {
  page: Page;
  /** Another tab of the same person. */
  tab(): Promise<Page>;
}

/** Site under test. A request to another origin fails the test. */
export interface Site {
  origin: string;
  token?(principal: Principal): Promise<string>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** The person who is signed in; absent for no session. */
  as?: Principal;
}

/** Opens a window with its own cookies. Closing it fails if one of its pages failed a check. */
export type OpenVisit = (site: Site, options?: VisitOptions) => Promise<Visit>;

let launching: Promise<Browser> | undefined;

/** A test that is skipped without Chromium. The tests of a file share a browser. */
export function browserTest(name: string, fn: (open: OpenVisit) => Promise<void>): void {
  const ignore = !REQUIRED && !isFile(EXECUTABLE);
  Deno.test({ name, ignore, fn: () => fn(openVisit) });
}

Deno.test.afterAll(async () => await (await launching)?.close());

async function openVisit({ origin, token }: Site, { as, ...options }: VisitOptions = {}): Promise<Visit> {
  launching ??= chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  const browser = await launching;
  const context = await browser.newContext({
    baseURL: origin,
    locale: "en-GB",
    timezoneId: "Europe/Zurich",
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const checks = checkPages(context, origin);
  if (as && token) await context.addCookies([sessionCookie(origin, await token(as))]);
  const page = await context.newPage();
  return {
    page,
    tab: () => context.newPage(),
    async [Symbol.asyncDispose]() {
      await context.close();
      checks.assertPassed();
    },
  };
}

/** The cookie that signing in sets. */
function sessionCookie(origin: string, token: string) {
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

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

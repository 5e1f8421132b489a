/**
 * Inspector: pages on which privacy officers see the state machine of every GDPR request, live, and decide about it, and
 * on which staff look after customers and groups.
 */
import { type Context, Hono } from "@hono/hono";
import { createMiddleware } from "@hono/hono/factory";
import { HTTPException } from "@hono/hono/http-exception";
import { getLogger } from "@logtape/logtape";
import { type DomainError, type ErrorCode } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { STATUSES } from "../http/statuses.ts";
import { describeError } from "../lib/error_description.ts";
import { traceparentOf } from "../http/refusals.ts";
import { createAssets } from "./assets.ts";
import { createCharts } from "./chart/mod.tsx";
import { requireFormToken, requireOwnOrigin } from "./csrf.ts";
import { addCustomers } from "./customer/mod.tsx";
import { addCustomerList } from "./customers/mod.tsx";
import { addGroups } from "./groups/mod.ts";
import { createLive, type Live } from "./live.ts";
import { addOpening } from "./opening/mod.tsx";
import { addOverview } from "./overview/mod.tsx";
import type { InspectorOptions, Pages } from "./options.ts";
import { startPath } from "./menu.tsx";
import { Frame, Page } from "./page.tsx";
import { addRequests } from "./request/mod.tsx";
import { addRecord } from "./record/mod.tsx";
import { addRetry } from "./retry/mod.tsx";
import { type InspectContext, type InspectEnv, sessionCookie, signedIn } from "./session.ts";
import { addSearch } from "./search/mod.tsx";
import { addSettings } from "./settings/mod.tsx";
import { createSignIn, createSignOut, respondSessionEnded } from "./sign_in.tsx";

export interface Inspector extends Pick<Live, "wake" | "close"> {
  /** Mount it at `/inspect`. */
  app: Hono;
}

/** Security headers: own resources only, nothing inline, no caching, no framing. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function createInspector(options: InspectorOptions): Inspector {
  const live = createLive();
  const pages: Pages = { ...options, charts: createCharts(), live };
  const authenticated = new Hono<InspectEnv>()
    .use(signedIn(options))
    .use(requireFormToken(options))
    .route("/", createSignOut(options));
  addOverview(authenticated, pages);
  addSearch(authenticated, pages);
  addRetry(authenticated, pages);
  addSettings(authenticated, pages);
  addRecord(authenticated, pages);
  addOpening(authenticated, pages);
  addCustomerList(authenticated, pages); // before the routes that have a customer's ID at this place of the path
  addCustomers(authenticated, pages);
  addGroups(authenticated, pages);
  addRequests(authenticated, pages);
  const app = new Hono()
    .use(createMiddleware(async (c, next) => {
      await next();
      for (const [name, value] of Object.entries(HEADERS)) {
        if (!c.res.headers.has(name)) c.header(name, value); // the page of a receipt allows its own style
      }
    }))
    // Not subject to load shedding: a page that was admitted is unusable without its styles and scripts.
    .route("/assets", createAssets())
    .use(options.admit)
    .use(requireOwnOrigin())
    .route("/", createSignIn(options))
    .route("/", authenticated)
    // Hono ignores `notFound` of a mounted app.
    .all("*", (c) => c.html(<ErrorPage c={c} title="Not found" message="This page does not exist." />, 404))
    .onError(async (error, c) => {
      if (c.req.raw.signal.aborted) return new Response(null, { status: 499 }); // the client has disconnected
      const expected = asDomainError(error);
      await reportRefusal(c, options, expected);
      for (const [name, value] of Object.entries(expected ? refusalHeaders(expected) : {})) {
        if (!c.res.headers.has(name)) c.header(name, value); // overload sets its own Retry-After
      }
      if (c.req.method === "POST" && expected?.code === "UNAUTHENTICATED") {
        return await respondSessionEnded(c, options);
      }
      const { status, title, message } = explain(error);
      // A token in a header is the client's own, and the headers of a gateway cannot be replaced by a sign-in here.
      const maySignIn = expected?.code === "FORBIDDEN" && sessionCookie(c, options.secure) !== undefined;
      const { pathname, search } = new URL(c.req.url);
      const signIn = maySignIn
        ? `/inspect/sign-in?to=${
          encodeURIComponent(c.req.method === "GET" ? `${pathname}${search}` : "/inspect")
        }`
        : undefined;
      return c.html(<ErrorPage c={c} title={title} message={message} signIn={signIn} />, status);
    });
  return { app, wake: live.wake, close: live.close };
}

const TITLES: Record<ErrorCode, string> = {
  INVALID_INPUT: "Invalid request",
  UNAUTHENTICATED: "Sign-in required",
  RECENT_SIGN_IN_REQUIRED: "Sign in again",
  FORBIDDEN: "Forbidden",
  NOT_FOUND: "Not found",
  ALREADY_EXISTS: "Already exists",
  REFUSED_IN_STATE: "Not possible in this state",
  CONFLICT: "Conflict: changed by someone else",
  RATE_LIMITED: "Too many requests",
  UNAVAILABLE: "Temporarily unavailable",
};

function explain(error: unknown) {
  if (error instanceof HTTPException) {
    const { status, message } = error;
    if (status === 403) {
      return {
        status,
        title: TITLES.FORBIDDEN,
        message: "Cannot accept the form: it was sent from another site.",
      };
    }
    if (status === 400) return { status, title: TITLES.INVALID_INPUT, message } as const;
    if (status === 413) return { status, title: "Form too large", message } as const;
    if (status === 415) return { status, title: TITLES.INVALID_INPUT, message } as const;
    if (status === 408) return { status, title: "Request timed out", message } as const;
  }
  const expected = asDomainError(error);
  if (expected) {
    const { code, message } = expected;
    return { status: STATUSES[code], title: TITLES[code], message };
  }
  getLogger(["customer-service", "inspect"]).error("Cannot show a page: {reason}", {
    reason: describeError(error),
  });
  return { status: 500, title: "Something went wrong", message: "The error was logged." } as const;
}

/** Records what a person with a role was refused; the session records persons without one. */
async function reportRefusal(
  c: Context,
  { refusals }: InspectorOptions,
  error: DomainError | undefined,
): Promise<void> {
  const by = c.get("by") as Principal | undefined;
  if (!by || error?.code !== "FORBIDDEN") return;
  await refusals.report({ by, operation: "inspect", traceparent: traceparentOf(c) });
}

/**
 * @param c of a person who is signed in, who gets the menu, or of another one
 * @param signIn address of the sign-in page, for a person who may not open the page
 */
function ErrorPage(
  { c, title, message, signIn }: {
    c: Context;
    title: string;
    message: string;
    signIn?: string | undefined;
  },
) {
  const by = c.get("by") as Principal | undefined;
  const contents = (
    <>
      <p>{message}</p>
      {signIn !== undefined && (
        <p>
          <a href={signIn}>Sign in as another person</a>
        </p>
      )}
    </>
  );
  if (by && startPath(by) !== undefined) {
    return <Page c={c as InspectContext} title={title}>{contents}</Page>;
  }
  return (
    <Frame title={title}>
      <main id="main" class="narrow" tabindex={-1}>
        <h1>{title}</h1>
        {contents}
        <p>
          <a href="/inspect">Back to the start</a>
        </p>
      </main>
    </Frame>
  );
}

/** HTTP edges: answers health checks at once, and loads the modules of the other edges when the service is ready. */
import type { Hono } from "@hono/hono";
import type { HttpConfig } from "./config/mod.ts";
import type { Readiness } from "./db/readiness.ts";
import { identifyAddress } from "./http/address.ts";
import { closeConnections, createHttpApp } from "./http/mod.ts";
import { createHealth } from "./rest/health.ts";
import type { Fetcher } from "./start.ts";
import { probeMiddleware, routeMiddleware } from "./telemetry/http.ts";

export interface HealthParts {
  ready: Readiness;
  /** Whether the database was restored from a backup and lacks erasures. */
  restored(): boolean;
  /** A sentence for operators in the response of `/readyz`; undefined for none. */
  warning(): string | undefined;
  /** Aborts when the shutdown begins. The service still accepts requests. */
  draining: AbortSignal;
}

/** Creates an app with the middleware that all edges share, and with `/healthz` and `/readyz`. */
export function createHealthApp(http: HttpConfig, { ready, restored, warning, draining }: HealthParts): Hono {
  return createHttpApp(http)
    .use("/healthz", probeMiddleware())
    .use("/readyz", probeMiddleware())
    .use(routeMiddleware())
    .use(identifyAddress(http.trustedProxies))
    .use(closeConnections(draining))
    .route("/", createHealth(ready, { ending: draining, restored, warning }));
}

/** Loaded edges. */
export interface Edges {
  app: Hono;
  inspector: {
    /** Signals a possible change to open pages. */
    wake(): void;
    /** Ends all open event streams. */
    close(): void;
  };
}

export interface LazyEdges extends Fetcher, Disposable {
  /** Signals a possible change to open pages. */
  wake(): void;
  /** Ends all open event streams. */
  close(): void;
  /** Loads the edges soon, unless a request has already done so. */
  loadSoon(): void;
}

/** Leaves time for the first answers after the start: loading blocks the process for some tenths of a second. */
const DELAY_MS = 100;
const HEALTH = /^\w+:\/\/[^/]*\/(healthz|readyz)(\?|$)/;

/**
 * Handler that loads the edges at the first request that is not a health check; such requests wait for it. An edge that
 * cannot be loaded ends the process as an unhandled rejection.
 */
export function createLazyEdges(health: Hono, load: () => Promise<Edges>): LazyEdges {
  let [loading, loaded]: [Promise<Edges> | undefined, Edges | undefined] = [undefined, undefined];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const loadOnce = () => loading ??= load().then((edges) => loaded = edges);
  return {
    fetch: async (request, info) => {
      if (!loaded && HEALTH.test(request.url)) return await health.fetch(request, info);
      return await (loaded ?? await loadOnce()).app.fetch(request, info);
    },
    wake: () => loaded?.inspector.wake(),
    close: () => loaded?.inspector.close(), // no stream is open before
    loadSoon: () => {
      // A promise of its own: that of a request that waits is handled by its answer.
      timer = setTimeout(async () => await loadOnce(), DELAY_MS);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** Server process of `bench rest`: the REST API, or no-op routes with the same validation. */
import { Hono } from "@hono/hono";
import { createRequestSettings } from "../actors/gdpr/mod.ts";
import { createAuditLog } from "../actors/audit_log.ts";
import { createActors } from "../actors/mod.ts";
import { createRefusalLog } from "../actors/refusal_log.ts";
import { SERVICE_RIGHTS } from "../domain/service_rights.ts";
import type { Principal } from "../domain/principal.ts";
import { openKeys } from "../config/keys.ts";
import { openPool } from "../db/connect.ts";
import { createLookups } from "../db/lookups.ts";
import { createRateLimit } from "../db/rate_limits.ts";
import { createStoreReader } from "../db/store_reader.ts";
import { createBodyReader } from "../http/body_reader.ts";
import { createRest } from "../rest/mod.ts";
import { createNoop } from "./_noop_rest.ts";

/** Job in JSON, the first argument. */
export interface Served {
  what: "customer-service" | "limited" | "noop";
  databaseUrl: string;
  storeId: string;
  folder: string;
}

const NO_KEYS = { exportKey: undefined, hashKeys: undefined, receiptKey: undefined, receiptPublicKeys: [] };

const served: Served = JSON.parse(Deno.args[0] ?? "");
const app = served.what === "noop" ? createNoop() : await createApi(served);
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
// deno-lint-ignore no-console -- the parent reads the port
console.log(server.addr.port);

async function createApi({ databaseUrl, storeId, folder, what }: Served): Promise<Hono> {
  const api = openPool(databaseUrl, "customer_api", 10);
  const reader = openPool(databaseUrl, "customer_reader", 4);
  const keys = await openKeys(NO_KEYS, folder);
  const by: Principal = { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["STORE_MANAGER"] };
  const audit = createAuditLog(api);
  const limit = createRateLimit(reader, { requests: 1_000_000_000, windowSeconds: 60 });
  return createRest({
    serviceCallers: { ...SERVICE_RIGHTS },
    audit,
    refusals: createRefusalLog(audit),
    actors: createActors(api, {
      requests: createRequestSettings(
        { participants: [], graceMs: 0, fourEyes: false, fetchWaitMs: 0, maxSignInAgeMs: 900_000 },
        keys,
      ),
    }),
    lookups: createLookups(reader),
    reader: createStoreReader(api),
    authenticate: () => Promise.resolve(by),
    exportLink: () => Promise.resolve(undefined),
    limits: {
      perPrincipal: what === "limited" ? limit : undefined,
      perAddress: what === "limited" ? limit : undefined,
      hashKey: keys.digestKey,
      proxies: 0,
    },
    bodies: createBodyReader({ proxies: 0 }),
    closing: new AbortController().signal,
  });
}

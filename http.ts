/**
 * Mounts every HTTP edge at its path, after the middleware that all of them share. The process is ready before it loads
 * this module: see edges.ts.
 */
import type { Hono } from "@hono/hono";
import { createExportDownloads, exportLink } from "./actors/gdpr/exports/downloads.ts";
import { receiptLink } from "./actors/gdpr/receipts/link.ts";
import { hashEmail } from "./actors/gdpr/requests/email_hash.ts";
import { findContact } from "./actors/gdpr/requests/subject.ts";
import { exportReceipt } from "./actors/gdpr/receipts/receipt.ts";
import type { AuditLog } from "./actors/audit_log.ts";
import type { RefusalLog } from "./actors/refusal_log.ts";
import type { RequestKey } from "./actors/gdpr/types.ts";
import type { Actors } from "./actors/commands.ts";
import type { Auth } from "./auth/mod.ts";
import type { Keys } from "./config/keys.ts";
import { type Config, servicesOf } from "./config/mod.ts";
import type { Sql } from "./db/connect.ts";
import { createEndedSessions } from "./db/ended_sessions.ts";
import type { RequestLookups } from "./db/gdpr_lookups.ts";
import type { Lookups } from "./db/lookups.ts";
import { createRateLimit } from "./db/rate_limits.ts";
import { createStoreReader } from "./db/store_reader.ts";
import { addGateway, type DemoTokens } from "./development.ts";
import { createHealthApp, type HealthParts } from "./edges.ts";
import { createBodyReader } from "./http/body_reader.ts";
import { type ConcurrencyLimit, shedLoad } from "./http/load_shedding.ts";
import { refusalBody, traceparentOf } from "./http/refusals.ts";
import { errorBody } from "./graph/errors.ts";
import { createGraph } from "./graph/mod.ts";
import { createInspector, type Inspector } from "./inspect/mod.tsx";
import type { InspectorOptions } from "./inspect/options.ts";
import { createExports } from "./rest/exports.ts";
import { countRequests } from "./rest/limits.ts";
import { createReceiptKeys } from "./rest/receipt_keys.ts";
import { createReceipts } from "./rest/receipts.ts";
import { createRest } from "./rest/mod.ts";

export interface HttpParts extends HealthParts {
  pools: { api: Sql; reader: Sql };
  keys: Keys;
  actors: Actors;
  lookups: Lookups;
  requestLookups: RequestLookups;
  auth: Auth;
  audit: AuditLog;
  refusals: RefusalLog;
  /** Limit on the requests in flight. */
  concurrency: ConcurrencyLimit;
  /** Aborts when the service accepts no more requests. Endless streams end then. */
  closing: AbortSignal;
  /** Names of the participants whose URL is not configured. */
  participantsWithoutUrl(): readonly string[];
  /** Sign-in link to the inspector and tokens of the demo, in development only. */
  development:
    | NonNullable<InspectorOptions["development"]> & { demoTokens: DemoTokens | undefined }
    | undefined;
}

export async function createHttp(
  config: Config,
  parts: HttpParts,
): Promise<{ app: Hono; inspector: Inspector }> {
  const {
    pools: { api, reader },
    keys,
    actors,
    lookups,
    requestLookups,
    auth,
    audit,
    refusals,
    concurrency,
    closing,
  } = parts;
  const { authenticate } = auth;
  const perMinute = (requests: number) =>
    requests === 0 ? undefined : createRateLimit(reader, { requests, windowSeconds: 60 });
  const limits = {
    perPrincipal: perMinute(config.http.ratePerPrincipal),
    perAddress: perMinute(config.http.ratePerAddress),
    hashKey: keys.digestKey,
    proxies: config.http.trustedProxies,
  };
  const bodies = createBodyReader({ proxies: config.http.trustedProxies });
  const count = countRequests(limits);
  const stores = createStoreReader(api); // edges read with it, and write by commands alone
  const linkTo = (key: RequestKey) => exportLink(api, keys, key);
  const downloads = createExportDownloads(api, keys, actors);
  const graph = createGraph({
    refusals,
    actors,
    lookups,
    requests: requestLookups,
    exportLink: linkTo,
    receiptLink: (key) => receiptLink(keys.receiptLinkKeys, key),
    authenticate,
    bodies,
    admit: shedLoad(concurrency, (error, c) => errorBody(error, traceparentOf(c))),
    count,
    production: config.production,
    demoToken: parts.development?.demoTokens?.shopper,
  });
  const inspector = createInspector({
    audit,
    refusals,
    actors,
    lookups,
    reader: stores,
    authenticate: auth.authenticateInStores,
    bodies,
    formKey: keys.linkKey,
    secure: config.production,
    ended: createEndedSessions(api),
    development: parts.development,
    exportLink: linkTo,
    downloads,
    exportReceipt: (key) => exportReceipt(stores, key),
    findContact: (guest) => stores.read(guest.storeId, (sql) => findContact(sql, keys.hashKeys, guest)),
    hashEmail: (email) => hashEmail(keys.hashKeys, email).map(({ hash }) => hash),
    participantsWithoutUrl: parts.participantsWithoutUrl,
    participants: config.gdpr.participants,
    services: servicesOf(config),
    requiresController: config.production,
    restored: parts.restored,
    admit: shedLoad(concurrency),
    count,
  });
  const app = createHealthApp(config.http, parts)
    .route("/", createReceiptKeys(keys.receiptJwks))
    .route("/graphql", graph)
    .route("/inspect", inspector.app)
    .use(shedLoad(concurrency, (error, c) => refusalBody(c, error.code, error.message)))
    .route("/exports", createExports({ downloads, authenticate, limits, refusals }))
    .route(
      "/receipts",
      createReceipts({ reader: stores, receiptLinkKeys: keys.receiptLinkKeys, limits }),
    )
    .route(
      "/",
      createRest({
        serviceCallers: config.restCallers,
        audit,
        refusals,
        actors,
        lookups,
        reader: stores,
        authenticate,
        exportLink: linkTo,
        limits,
        bodies,
        closing,
        demoToken: parts.development?.demoTokens?.support,
      }),
    );
  if (!config.production) await addGateway(app);
  return { app, inspector };
}

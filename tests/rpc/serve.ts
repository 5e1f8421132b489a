/** gRPC server as main.ts composes it, over the database of a test. */
import type { RequestSettings } from "../../actors/gdpr/requests/behavior.ts";
import { createNoticeReader } from "../../actors/gdpr/notices/read.ts";
import { createActors } from "../../actors/mod.ts";
import { createAdmission } from "../../auth/callers.ts";
import type { Sql } from "../../db/connect.ts";
import { createRequestLookups } from "../../db/gdpr_lookups.ts";
import { createLookups } from "../../db/lookups.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import type { CustomerMethods } from "../../rpc/contract.ts";
import { createMethods } from "../../rpc/methods.ts";
import { type GrpcOptions, serveGrpc } from "../../rpc/server.ts";
import { createKeys } from "../gdpr/keys.ts";
import { requestSettings } from "../actors/settings.ts";
import type { TestDatabase } from "../database.ts";
import { connect } from "./client.ts";

/** Accepts every caller, as on a developer's machine. */
export const OPEN = createAdmission({
  mode: "none",
  callers: {
    GetCustomerGroups: [],
    GetCustomerSnapshot: [],
    ConfirmErasure: [],
    GetNotice: [],
    ConfirmNotice: [],
  },
});

/** Methods of the service over a pool of customer_reader and one of customer_api. */
export async function createMethodsOver(
  reader: Sql,
  api: Sql,
  settings: Partial<RequestSettings> = {},
): Promise<CustomerMethods> {
  const actors = createActors(api, { requests: await requestSettings(settings) });
  const { hashKeys } = await createKeys();
  return createMethods({
    lookups: createLookups(reader),
    requests: createRequestLookups(reader),
    actors,
    readNotice: createNoticeReader(createStoreReader(api), hashKeys),
  });
}

/** Starts a server over a database, and a client that is connected to it. */
export async function serveLookups(db: TestDatabase, options: Partial<GrpcOptions> = {}) {
  await using stack = new AsyncDisposableStack();
  const sql = db.pool("customer_reader", 2);
  const server = stack.adopt(
    await serveGrpc({
      bind: "127.0.0.1",
      port: 0,
      admit: OPEN,
      methods: await createMethodsOver(sql, db.pool("customer_api", 8)),
      ...options,
    }),
    (server) => server.close(),
  );
  const client = stack.use(connect(server.port));
  const running = stack.move();
  return { ...server, sql, client, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

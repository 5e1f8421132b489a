/** The gRPC server as main.ts puts it together, over the database of a test. */
import { createAdmission } from "../../auth/callers.ts";
import { createLookups } from "../../db/lookups.ts";
import { createMethods } from "../../rpc/methods.ts";
import { type GrpcOptions, serveGrpc } from "../../rpc/server.ts";
import type { TestDatabase } from "../database.ts";
import { connect } from "./client.ts";

/** Anybody may call, as on a developer's machine. */
export const OPEN = createAdmission({
  mode: "none",
  callers: { GetCustomerGroups: [], GetCustomerSnapshot: [] },
});

/** A server for the lookups of a database, and a client connected to it. */
export async function serveLookups(db: TestDatabase, options: Partial<GrpcOptions> = {}) {
  await using stack = new AsyncDisposableStack();
  const sql = db.pool("customer_reader", 2);
  const server = stack.adopt(
    await serveGrpc({
      bind: "127.0.0.1",
      port: 0,
      admit: OPEN,
      methods: createMethods(createLookups(sql)),
      ...options,
    }),
    (server) => server.close(),
  );
  const client = stack.use(connect(server.port));
  const running = stack.move();
  return { ...server, sql, client, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Process with only the gRPC server and its lookups: `_serve_lookups.ts DATABASE_URL`. */
import { createAdmission } from "../auth/callers.ts";
import { openPool } from "../db/connect.ts";
import { createLookups } from "../db/lookups.ts";
import { createLookupMethods } from "../rpc/lookups.ts";
import { serveGrpc } from "../rpc/server.ts";

const lookups = createLookups(openPool(Deno.args[0] ?? "", "customer_reader", Number(Deno.args[1] ?? 4)));
const callers = {
  GetCustomerGroups: [],
  GetCustomerSnapshot: [],
  ConfirmErasure: [],
  GetNotice: [],
  ConfirmNotice: [],
};
const { port } = await serveGrpc({
  bind: "127.0.0.1",
  port: 0,
  admit: createAdmission({ mode: "none", callers }),
  methods: {
    ...createLookupMethods(lookups),
    confirmErasure: () => Promise.reject(new Error("not measured")),
    getNotice: () => Promise.reject(new Error("not measured")),
    confirmNotice: () => Promise.reject(new Error("not measured")),
  },
});
await Deno.stdout.write(new TextEncoder().encode(`${port}\n`));

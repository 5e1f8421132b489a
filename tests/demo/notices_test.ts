/** A refusal and an extension from the decision to the shopper, delivered by the demo communication-service over gRPC. */
import assert from "node:assert/strict";
import { createAdmission } from "../../auth/callers.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { startDemoPeers } from "../../demo/peers/mod.ts";
import type { Principal } from "../../domain/principal.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { captureLog } from "../captured_log.ts";
import { tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { registerShopper, startGraph } from "../graph/server.ts";
import { createMethodsOver, serveLookups } from "../rpc/serve.ts";

const READ = `query ($id: ID!) {
  gdprRequest(id: $id) { status outcome reason refusalGround informed notices { kind delivery settledAt } }
}`;
const MAILER = "communication-service";

Deno.test("an extension and a refusal are delivered by communication-service and read by the shopper", async () => {
  await using captured = await captureLog();
  await using graph = await startGraph();
  await using stack = new AsyncDisposableStack();
  const { world } = graph;
  const folder = stack.adopt(await Deno.makeTempDir(), (path) => Deno.remove(path, { recursive: true }));
  const issuer = await openDevelopmentIssuer(folder);
  const callers = {
    GetCustomerGroups: [MAILER],
    GetCustomerSnapshot: [],
    ConfirmErasure: [],
    GetNotice: [MAILER],
    ConfirmNotice: [MAILER],
  };
  const server = stack.use(
    await serveLookups(world.database, {
      admit: createAdmission({ mode: "token", verifyToken: issuer.verify, callers }),
      methods: await createMethodsOver(
        world.database.pool("customer_reader", 2),
        world.database.pool("customer_api", 8),
      ),
    }),
  );
  const token = (service: string, storeId: string) =>
    issuer.sign({ principal: systemPrincipal(storeId), service }, 60);
  const demo = stack.use(
    await startDemoPeers({ confirm: { address: `127.0.0.1:${server.port}`, token }, paceMs: 0 }),
  );
  /** Delivers the published notices that were not delivered yet, as the relay does. */
  const publish = async () => {
    const rows = await world.admin`
      select topic, payload from outbox o where topic = 'gdpr.notice_due' and exists (
        select from gdpr_notices n where n.notice_id::text = o.payload->>'noticeId' and n.delivery = 'DUE')
      order by seq`;
    for (const { topic, payload } of rows) await demo.deliver(topic, payload);
    return rows.map(({ payload }) => payload.kind);
  };

  const { ref: customer, as } = await registerShopper(world);
  const { as: eve } = await registerShopper(world, { email: "eve@refuses.invalid" });
  const shop = createRequestFixture(world);
  const { data } = await graph.ask(`mutation { requestAccess { request { id } } }`, { as });
  const { id } = data.requestAccess.request;
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id };
  const read = async () => (await graph.ask(READ, { as, variables: { id } })).data.gdprRequest;
  const by = { by: world.officer };

  assert.deepEqual(await publish(), ["RECEIVED"]);
  await shop.tell(ref, "extend", { reason: "many sources", note: "internal" }, by);
  const extended = await read();
  assert.deepEqual([extended.reason, extended.informed], ["many sources", "PENDING"]);
  assert.deepEqual(await publish(), ["EXTENDED"]);
  assert.equal((await read()).informed, "DELIVERED");

  await shop.tell(ref, "refuse", { reason: "asked each day", ground: "EXCESSIVE", note: "internal" }, by);
  const refused = await read();
  assert.deepEqual(
    [refused.status, refused.outcome, refused.refusalGround, refused.reason, refused.informed],
    [
      "COMPLETED",
      "REFUSED",
      "EXCESSIVE",
      "asked each day",
      "PENDING",
    ],
  );
  const [due] = await world.admin`select notice_id from gdpr_notices where kind = 'REFUSED'`;
  const asked = { notice_id: due?.noticeId, store_id: world.storeId };
  const call = async (method: string, message: object, service: string, principal?: Principal) => {
    const bearer = await issuer.sign({ principal: principal ?? systemPrincipal(world.storeId), service }, 60);
    return await server.client.call(method, message, { metadata: { authorization: `Bearer ${bearer}` } });
  };
  const { status, response } = await call("GetNotice", asked, MAILER);
  assert.equal(status, "OK");
  assert.match(response.text, /excessive.*\n\nReason: asked each day\n\nYou may complain .*authority/s);
  assert.match(response.text, /judicial remedy/);
  assert.doesNotMatch(response.text, /internal/);
  // Everybody else is refused, and learns nothing.
  const elsewhere = systemPrincipal(crypto.randomUUID());
  for (const method of ["GetNotice", "ConfirmNotice"]) {
    assert.equal((await server.client.call(method, asked)).status, "UNAUTHENTICATED");
    assert.equal((await call(method, asked, "order-service")).status, "PERMISSION_DENIED");
    assert.equal((await call(method, asked, MAILER, elsewhere)).status, "PERMISSION_DENIED");
    assert.equal((await call(method, asked, MAILER, as)).status, "PERMISSION_DENIED");
    const other = { ...asked, store_id: elsewhere.storeId };
    assert.equal((await call(method, other, MAILER, elsewhere)).status, "NOT_FOUND");
    assert.equal((await call(method, { ...asked, notice_id: "x" }, MAILER)).status, "INVALID_ARGUMENT");
  }
  assert.deepEqual(await publish(), ["REFUSED"]);
  const delivered = await read();
  assert.equal(delivered.informed, "DELIVERED");
  assert.deepEqual(delivered.notices.map(({ kind, delivery }: Record<string, string>) => [kind, delivery]), [
    ["RECEIVED", "DELIVERED"],
    ["EXTENDED", "DELIVERED"],
    ["REFUSED", "DELIVERED"],
  ]);
  assert.ok(delivered.notices.every(({ settledAt }: Record<string, string>) => settledAt));
  assert.match((await graph.ask(READ, { as: eve, variables: { id } })).text, /NOT_FOUND/);
  assert.equal((await call("GetNotice", asked, MAILER)).status, "FAILED_PRECONDITION", "it was delivered");
  const again = await call("ConfirmNotice", asked, MAILER);
  assert.deepEqual([again.status, again.response.already_confirmed], ["OK", true]);

  // The address refuses the notice after it was sent, until the customer corrects the email.
  const report = (result: string | number) => call("ConfirmNotice", { ...asked, result }, MAILER);
  assert.equal((await report(9)).status, "INVALID_ARGUMENT");
  assert.deepEqual((await report(9)).fields, ["result must be DELIVERED or UNDELIVERABLE"]);
  const bounced = await report("NOTICE_RESULT_UNDELIVERABLE");
  assert.deepEqual([bounced.status, bounced.response.already_confirmed], ["OK", false]);
  assert.equal((await report("NOTICE_RESULT_UNDELIVERABLE")).response.already_confirmed, true);
  assert.equal((await read()).informed, "UNDELIVERABLE");
  assert.deepEqual(await publish(), [], "it is not published again");
  await tell(world, customer, "profile.update", { email: "corrected@example.com" });
  assert.equal((await call("GetNotice", asked, MAILER)).response.email, "corrected@example.com");
  assert.equal((await report("NOTICE_RESULT_DELIVERED")).response.already_confirmed, false);
  assert.equal((await read()).informed, "DELIVERED");

  // The demo communication-service reports an address that cannot exist.
  const another = await graph.ask(`mutation { requestAccess { request { id } } }`, { as: eve });
  assert.deepEqual(await publish(), ["RECEIVED"]);
  const variables = { id: another.data.requestAccess.request.id };
  const ofEve = await graph.ask(READ, { as: eve, variables });
  assert.equal(ofEve.data.gdprRequest.informed, "UNDELIVERABLE");
  await graph.ask(`mutation ($id: ID!) { cancelGdprRequest(id: $id) { request { id } } }`, {
    as: eve,
    variables,
  });
  assert.deepEqual(await publish(), ["CANCELLED"]);

  // An erasure: the closing notice goes to the sealed address, and is then destroyed.
  const opened = await graph.ask(`mutation { requestErasure { request { id } } }`, { as });
  const erasure = { ...ref, id: opened.data.requestErasure.request.id };
  await shop.work();
  assert.deepEqual(await publish(), ["RECEIVED"]);
  for (const service of ["order-service", "payment-service", MAILER]) {
    await shop.tell(erasure, "participant.confirm", { service });
  }
  await shop.work();
  const mine =
    `query ($id: ID!) { gdprRequest(id: $id) { status informed notices { kind delivery } receipt { url } } }`;
  const erased = async () => (await graph.ask(mine, { as, variables: { id: erasure.id } })).data.gdprRequest;
  const completed = await erased();
  assert.deepEqual([completed.status, completed.informed], ["COMPLETED", "PENDING"], "two facts");
  assert.deepEqual(await publish(), ["ERASED"]);
  assert.equal((await erased()).informed, "DELIVERED");
  assert.equal(
    (await world.admin`select from gdpr_notices where sealed_recipient is not null`).length,
    0,
  );

  const linesWith = (text: string) => captured.lines.filter((line) => line.includes(text)).length;
  assert.deepEqual([linesWith("as DELIVERED"), linesWith("as UNDELIVERABLE")], [5, 2]);
  assert.ok(captured.lines.every((line) => !line.includes("@")), "no address in the log");
});

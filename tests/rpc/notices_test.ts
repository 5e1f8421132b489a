/** GetNotice and ConfirmNotice over a socket, as communication-service calls them. */
import assert from "node:assert/strict";
import { createAdmission } from "../../auth/callers.ts";
import { openDevelopmentIssuer } from "../../auth/development_issuer.ts";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, register, shopper, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { serveLookups } from "./serve.ts";

Deno.test("communication-service fetches a notice, and reports that it was delivered or refused", async () => {
  await using world = await createWorld({ requests: await requestSettings({ graceMs: 3_600_000 }) });
  const { storeId } = world;
  const folder = await Deno.makeTempDir({ prefix: "customer-service-issuer-" });
  const issuer = await openDevelopmentIssuer(folder);
  await Deno.remove(folder, { recursive: true });
  const callers = {
    GetCustomerGroups: [],
    GetCustomerSnapshot: [],
    ConfirmErasure: [],
    GetNotice: ["communication-service"],
    ConfirmNotice: ["communication-service"],
  };
  const admit = createAdmission({ mode: "token", verifyToken: issuer.verify, callers });
  await using server = await serveLookups(world.database, { admit });
  const token = async (service: string, of = storeId) => ({
    authorization: `Bearer ${await issuer.sign({
      principal: { ...world.system, storeId: of, service },
      service,
    }, 60)}`,
  });
  const own = await token("communication-service");
  const customer = await register(world);
  const fixture = createRequestFixture(world);
  await fixture.open(customer, "ERASURE", {}, { by: shopper(customer) });
  const [{ noticeId } = {}] = await world.admin`select notice_id from gdpr_notices`;
  const call = async (method: string, fields: object = {}, metadata: Record<string, string> = own) => {
    const message = { notice_id: noticeId, store_id: storeId, ...fields };
    const { status, response } = await server.client.call(method, message, { metadata });
    return status === "OK" ? response : status;
  };
  const confirm = (result?: string | number) => call("ConfirmNotice", result === undefined ? {} : { result });
  const delivery = async () => (await world.admin`select delivery from gdpr_notices`)[0]?.delivery;
  const [first, repeated] = [{ accepted: true, already_confirmed: false }, {
    accepted: true,
    already_confirmed: true,
  }];

  const strangers = [{}, await token("order-service"), await token("communication-service", noticeId)];
  for (const metadata of strangers) {
    for (const method of ["GetNotice", "ConfirmNotice"]) {
      assert.match(await call(method, {}, metadata), /^(UNAUTHENTICATED|PERMISSION_DENIED)$/);
    }
  }
  for (const fields of [{ notice_id: "1" }, { result: 9 }]) {
    assert.equal(await call("ConfirmNotice", fields), "INVALID_ARGUMENT");
  }
  assert.equal(await call("ConfirmNotice", { notice_id: crypto.randomUUID() }), "NOT_FOUND");
  assert.equal(await delivery(), "DUE");

  const { email, kind } = await call("GetNotice");
  assert.deepEqual([email, kind], [`${customer.id}@example.com`, "NOTICE_KIND_RECEIVED"]);
  assert.deepEqual(await confirm(), first);
  assert.deepEqual(await confirm("NOTICE_RESULT_DELIVERED"), repeated);
  assert.equal(await call("GetNotice"), "FAILED_PRECONDITION");
  assert.deepEqual(await confirm("NOTICE_RESULT_UNDELIVERABLE"), first);
  assert.deepEqual(await confirm("NOTICE_RESULT_UNDELIVERABLE"), repeated);
  assert.equal(await delivery(), "UNDELIVERABLE");

  await tell(world, customer, "profile.update", { email: "corrected@example.com" });
  assert.equal((await call("GetNotice")).email, "corrected@example.com");
  assert.deepEqual(await confirm("NOTICE_RESULT_DELIVERED"), first);
  assert.equal(await delivery(), "DELIVERED");
});

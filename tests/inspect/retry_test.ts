/** Bulk retry: exactly the previewed requests are retried, once, in the name of the person. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { loadRequests } from "../../bench/_requests.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { tell } from "../actors/world.ts";
import { allRows, idsIn, openRequests, type Overview, startOverview } from "./overview_rows.ts";

async function preview(overview: Overview, search = "", as = overview.officer): Promise<string> {
  const response = await overview.get(`/inspect/retry${search}`, as);
  assert.equal(response.status, 200);
  return await response.text();
}

/** Fields of a preview's form. */
function formOf(page: string): Record<string, string> {
  const value = (name: string) =>
    (new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? "").replaceAll("&quot;", '"');
  return { key: value("key"), retries: value("retries") };
}

async function submit(overview: Overview, form: Record<string, string>, as: Principal = overview.officer) {
  const response = await overview.post("/inspect/retry", as, form);
  return { status: response.status, page: await response.text() };
}

async function retriesIn({ world }: Overview) {
  return await world.admin`
    select actor_id, principal_id, principal_type, note from actor_events where event_type = 'retry' order by actor_id`;
}

/** Opens an erasure whose participants are overdue. */
async function openStuckErasure(overview: Overview) {
  const request = await overview.open("ERASURE", 20);
  await overview.runDueWork(20);
  await overview.runDueWork(10);
  return request;
}

Deno.test("exactly the previewed requests are retried, in the name of the officer", async () => {
  await using overview = await startOverview();
  await openRequests(overview);
  const rows = await allRows(overview);
  for (const search of ["?type=ACCESS", "?waiting=order-service", ""]) {
    const stuck = (await allRows(overview)).filter(({ stuck, type, awaited }) =>
      stuck && (search !== "?type=ACCESS" || type === "ACCESS") &&
      (search !== "?waiting=order-service" || awaited.includes("order-service"))
    );
    const page = await preview(overview, search);
    const shown = idsIn(page);
    assert.deepEqual(shown.toSorted(), stuck.map(({ requestId }) => requestId).toSorted(), search);
    assert.ok(shown.length > 0 && shown.length < rows.length);
    assert.match(page, new RegExp(`Retry ${shown.length} requests? now`));
    const before = await retriesIn(overview);
    const { status, page: report } = await submit(overview, formOf(page));
    assert.equal(status, 200);
    assert.match(report, new RegExp(`${shown.length} requests? retried, 0 refused`));
    const retries = await retriesIn(overview);
    const times = (all: typeof retries, id: string) => all.filter(({ actorId }) => actorId === id).length;
    const retried = rows.filter(({ requestId }) => times(retries, requestId) > times(before, requestId));
    assert.deepEqual(retried.map(({ requestId }) => requestId).toSorted(), shown.toSorted(), search);
    for (const { principalId, principalType } of retries) {
      assert.deepEqual([principalId, principalType], [overview.officer.id, "STAFF"]);
    }
  }
});

Deno.test("only stuck participants are retried, and those that were given up are stuck until then", async () => {
  await using overview = await startOverview();
  const access = await overview.open("ACCESS", 3);
  await overview.runDueWork(3);
  await overview.world.admin`
    update effects set state = 'POISONED' where actor_id = ${access.id} and params ->> 'service' = 'order-service'`;
  await overview.runDueWork(2);
  const page = await preview(overview);
  assert.match(page, /Ask order-service again/);
  assert.doesNotMatch(page, /payment-service/);
  await submit(overview, { ...formOf(page), note: " the bank\n is back " });
  assert.match(await preview(overview), /No requests to retry/);
  assert.deepEqual((await retriesIn(overview)).map(({ note }) => note), ["the bank is back"]);
});

Deno.test("a second submission of the same preview changes nothing and returns the same report", async () => {
  await using overview = await startOverview();
  await openStuckErasure(overview);
  const form = formOf(await preview(overview));
  const [one, other] = await Promise.all([submit(overview, form), submit(overview, form)]);
  const third = await submit(overview, form);
  assert.match(one.page, /1 request retried, 0 refused/);
  assert.deepEqual([other.page, third.page], [one.page, one.page]);
  assert.equal((await retriesIn(overview)).length, PARTICIPANTS.length);
});

Deno.test("a request that has changed since the preview is refused with the reason, and the others are retried", async () => {
  await using overview = await startOverview();
  const [changed, same] = [await openStuckErasure(overview), await openStuckErasure(overview)];
  const form = formOf(await preview(overview));
  await tell(overview.world, changed, "participant.confirm", { service: "order-service", evidence: "done" });
  const { page } = await submit(overview, form, overview.staff(["STORE_MANAGER"]));
  assert.match(page, /1 request retried, 1 refused/);
  assert.match(page, /refused: the request was changed after the list was loaded/);
  assert.deepEqual([...new Set((await retriesIn(overview)).map(({ actorId }) => actorId))], [same.id]);
});

Deno.test("an officer of another store retries nothing, and forged forms are refused", async () => {
  await using overview = await startOverview();
  await openStuckErasure(overview);
  const form = formOf(await preview(overview));
  const stranger = overview.staff(["PRIVACY_OFFICER"], crypto.randomUUID());
  assert.match(await preview(overview, "", stranger), /No requests to retry/);
  assert.match((await submit(overview, form, stranger)).page, /0 requests retried, 1 refused/);
  assert.equal((await submit(overview, form, overview.staff(["CUSTOMER_MANAGER"]))).status, 403);
  const forged: Record<string, string>[] = [
    {},
    { ...form, key: "" },
    { ...form, retries: "nonsense" },
    { ...form, retries: '[["unknown",1,[]]]' },
    { ...form, retries: JSON.stringify(Array(501).fill([crypto.randomUUID(), 1, [null]])) },
  ];
  for (const fields of forged) assert.equal((await submit(overview, fields)).status, 400);
  assert.equal((await retriesIn(overview)).length, 0);
});

Deno.test("an invalid filter retries nothing", async () => {
  await using overview = await startOverview();
  await openStuckErasure(overview);
  const page = await preview(overview, "?type=ERASURES");
  assert.match(page, /Correct the address first/);
  assert.doesNotMatch(page, /name="retries"/);
});

Deno.test("a request of an unknown machine is listed as not retryable", async () => {
  await using overview = await startOverview();
  const request = await openStuckErasure(overview);
  await overview.world
    .admin`update gdpr_requests set machine = 'gdpr_erasure@99' where request_id = ${request.id}`;
  const page = await preview(overview);
  assert.match(page, /No requests to retry/);
  assert.match(page, new RegExp(`${request.id}</code></a>: this version of the service cannot read`));
});

Deno.test("at most 500 requests are retried at a time, most urgent first, and a failure does not stop the others", async () => {
  await using overview = await startOverview();
  const { database, admin, storeId } = overview.world;
  await loadRequests(database.adminUrl, storeId, 5_000);
  await admin`update gdpr_participants set state = 'OVERDUE' where state = 'ASKED'`;
  const [failing] = await admin`
    delete from erased_subjects where customer_id = (
      select customer_id from gdpr_requests
      where status = 'IN_PROGRESS' and type = 'ERASURE' order by due_at, request_id limit 1)
    returning customer_id`;
  const page = await preview(overview);
  const [first] = await admin`
    select request_id from gdpr_requests where status = 'IN_PROGRESS' order by due_at, request_id limit 1`;
  assert.match(page, /There are more than 500/);
  const shown = idsIn(page);
  assert.deepEqual([shown.length, shown[0]], [500, first?.requestId]);
  const { page: report } = await submit(overview, formOf(page));
  assert.match(report, /499 requests retried, 1 refused/);
  const [{ requestId } = {}] = await admin`
    select request_id from gdpr_requests where customer_id = ${failing?.customerId}`;
  assert.match(report, new RegExp(`${requestId}</code></a>: refused: internal error`));
});

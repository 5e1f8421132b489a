/** The bulk retry: what is previewed is what is retried, once, by the person who asked for it. */
import assert from "node:assert/strict";
import type { Principal } from "../../domain/principal.ts";
import { loadRequests } from "../../bench/_requests.ts";
import { PARTICIPANTS } from "../actors/settings.ts";
import { tell } from "../actors/world.ts";
import { allRows, fill, idsIn, type Overview, startOverview } from "./overview_rows.ts";

async function preview(overview: Overview, search = "", as = overview.officer): Promise<string> {
  const response = await overview.get(`/inspect/retry${search}`, as);
  assert.equal(response.status, 200);
  return await response.text();
}

/** What the form of a preview sends. */
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
    select actor_id, principal_id, principal_type, reason from actor_events where event_type = 'retry' order by actor_id`;
}

/** An erasure for which a service is overdue. */
async function stuckErasure(overview: Overview) {
  const request = await overview.open("ERASURE", 20);
  await overview.pass(20);
  await overview.pass(10);
  return request;
}

Deno.test("what is previewed is what is retried, in the name of who asked for it", async () => {
  await using overview = await startOverview();
  await fill(overview);
  const rows = await allRows(overview);
  for (const search of ["?type=ACCESS", "?waiting=order-service", ""]) {
    const stuck = (await allRows(overview)).filter(({ stuck, type, asked }) =>
      stuck && (search !== "?type=ACCESS" || type === "ACCESS") &&
      (search !== "?waiting=order-service" || asked.includes("order-service"))
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
    const told = rows.filter(({ requestId }) => times(retries, requestId) > times(before, requestId));
    assert.deepEqual(told.map(({ requestId }) => requestId).toSorted(), shown.toSorted(), search);
    for (const { principalId, principalType } of retries) {
      assert.deepEqual([principalId, principalType], [overview.officer.id, "STAFF"]);
    }
  }
});

Deno.test("only what is stuck is tried again, and what was given up counts until it is", async () => {
  await using overview = await startOverview();
  const access = await overview.open("ACCESS", 3);
  await overview.pass(3);
  await overview.world.admin`
    update effects set state = 'POISONED' where actor_id = ${access.id} and params ->> 'service' = 'order-service'`;
  await overview.pass(2);
  const page = await preview(overview);
  assert.match(page, /Ask order-service again/);
  assert.doesNotMatch(page, /payment-service/);
  await submit(overview, { ...formOf(page), reason: " the bank\n is back " });
  assert.match(await preview(overview), /No requests to retry/);
  assert.deepEqual((await retriesIn(overview)).map(({ reason }) => reason), ["the bank is back"]);
});

Deno.test("a second click on the same preview changes nothing and is told the same", async () => {
  await using overview = await startOverview();
  await stuckErasure(overview);
  const form = formOf(await preview(overview));
  const [one, other] = await Promise.all([submit(overview, form), submit(overview, form)]);
  const third = await submit(overview, form);
  assert.match(one.page, /1 request retried, 0 refused/);
  assert.deepEqual([other.page, third.page], [one.page, one.page]);
  assert.equal((await retriesIn(overview)).length, PARTICIPANTS.length);
});

Deno.test("what has changed since the preview is refused in words, and the rest is retried", async () => {
  await using overview = await startOverview();
  const [changed, same] = [await stuckErasure(overview), await stuckErasure(overview)];
  const form = formOf(await preview(overview));
  await tell(overview.world, changed, "participant.confirm", { service: "order-service", evidence: "done" });
  const { page } = await submit(overview, form, overview.staff(["STORE_MANAGER"]));
  assert.match(page, /1 request retried, 1 refused/);
  assert.match(page, /refused: the request was changed after the list was loaded/);
  assert.deepEqual([...new Set((await retriesIn(overview)).map(({ actorId }) => actorId))], [same.id]);
});

Deno.test("another store's officer retries nothing of it, and forms of others are not taken", async () => {
  await using overview = await startOverview();
  await stuckErasure(overview);
  const form = formOf(await preview(overview));
  const stranger = overview.staff(["PRIVACY_OFFICER"], crypto.randomUUID());
  assert.match(await preview(overview, "", stranger), /No requests to retry/);
  assert.match((await submit(overview, form, stranger)).page, /0 requests retried, 1 refused/);
  assert.equal((await submit(overview, form, overview.staff(["CUSTOMER_MANAGER"]))).status, 403);
  const forged: Record<string, string>[] = [
    {},
    { ...form, key: "" },
    { ...form, retries: "nonsense" },
    { ...form, retries: '[["nobody",1,[]]]' },
    { ...form, retries: JSON.stringify(Array(501).fill([crypto.randomUUID(), 1, [null]])) },
  ];
  for (const fields of forged) assert.equal((await submit(overview, fields)).status, 400);
  assert.equal((await retriesIn(overview)).length, 0);
});

Deno.test("nothing is retried by a filter that cannot be read", async () => {
  await using overview = await startOverview();
  await stuckErasure(overview);
  const page = await preview(overview, "?type=ERASURES");
  assert.match(page, /Correct the address first/);
  assert.doesNotMatch(page, /name="retries"/);
});

Deno.test("a request of an unknown machine is shown as one that a retry does not help", async () => {
  await using overview = await startOverview();
  const request = await stuckErasure(overview);
  await overview.world
    .admin`update gdpr_requests set machine = 'gdpr_erasure@99' where request_id = ${request.id}`;
  const page = await preview(overview);
  assert.match(page, /No requests to retry/);
  assert.match(page, new RegExp(`${request.id}</code></a>: this version of the service cannot read`));
});

Deno.test("five hundred at a time are retried, the most urgent first, and an odd one holds up nobody", async () => {
  await using overview = await startOverview();
  const { database, admin, storeId } = overview.world;
  await loadRequests(database.adminUrl, storeId, 5_000);
  await admin`update gdpr_participants set state = 'OVERDUE' where state = 'ASKED'`;
  const [odd] = await admin`
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
    select request_id from gdpr_requests where customer_id = ${odd?.customerId}`;
  assert.match(report, new RegExp(`${requestId}</code></a>: refused: internal error`));
});

/** Overview of requests: filters, orders, pages, counts and access. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { customerRef, register, shopper } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { readLive, shownOn } from "./live_stream.ts";
import { allRows, idsIn, nextPageOf, openRequests, type Row, startOverview } from "./overview_rows.ts";
import { partOf } from "./request_pages.ts";
import { startInspector, type TestInspector } from "./server.ts";

const DAY = 24 * 60 * 60_000;
const WEEK = 7 * 24 * 60 * 60_000;

async function show(inspector: TestInspector, path: string, as = inspector.officer): Promise<string> {
  const response = await inspector.get(path, as);
  const page = await response.text();
  assert.equal(response.status, 200, `${path} ${page}`);
  return page;
}

/** Request IDs of a list, from all its pages. */
async function listOf(inspector: TestInspector, path: string): Promise<string[]> {
  const ids: string[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const page = await show(inspector, next);
    ids.push(...idsIn(page));
    next = nextPageOf(page);
  }
  return ids;
}

type Meaning = (row: Row, now: number) => boolean;

/** One value, or several of a repeated parameter. */
type Value = string | string[];

/** Values of each filter with their meanings; undefined for an invalid value. */
function meanings(rows: readonly Row[]): Record<string, [value: Value, meaning: Meaning | undefined][]> {
  const open: Meaning = ({ status }) => status !== "COMPLETED";
  const nonsense = ["nonsense", "1 or 1=1", "'", "ACCESS,ERASURE", "%00", "null", "🦔"]
    .map((value): [string, undefined] => [value, undefined]);
  const services = ["order-service", "payment-service", "unknown-service", "'; drop table gdpr_requests; --"];
  const startOf = (day: string) => new Date(`${day}T00:00:00Z`);
  const days = [-25, -10, 0, 12].map((days) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10));
  const customers = [rows[0]!.customerId, rows[1]!.customerId.toUpperCase(), crypto.randomUUID()];
  return {
    type: [
      ...["ACCESS", "ERASURE", "PORTABILITY", "RECTIFICATION"].map((value): [string, Meaning] => [
        value,
        ({ type }) => type === value,
      ]),
      [["ERASURE", "ACCESS", "ERASURE"], ({ type }) => type === "ACCESS" || type === "ERASURE"],
      [["nonsense", "ACCESS"], ({ type }) => type === "ACCESS"],
      ...nonsense,
    ],
    status: [
      ...["PENDING", "IN_PROGRESS", "COMPLETED"].map((value): [string, Meaning] => [
        value,
        ({ status }) => status === value,
      ]),
      ["OPEN", open],
      [["COMPLETED", "OPEN"], () => true],
      [["COMPLETED", "PENDING"], ({ status }) => status !== "IN_PROGRESS"],
      ...nonsense,
    ],
    outcome: [
      ...["FULFILLED", "CANCELLED", "REFUSED"].map((value): [string, Meaning] => [
        value,
        ({ outcome }) => outcome === value,
      ]),
      [["CANCELLED", "REFUSED", ""], ({ outcome }) => outcome === "CANCELLED" || outcome === "REFUSED"],
      ...nonsense,
    ],
    due: [
      ["overdue", (row, now) => open(row, now) && row.dueAt.getTime() < now],
      [
        "at_risk",
        (row, now) => open(row, now) && row.dueAt.getTime() >= now && row.dueAt.getTime() <= now + WEEK,
      ],
      ...nonsense,
    ],
    held: [["yes", ({ held }) => held], ...nonsense],
    stuck: [["yes", ({ stuck }) => stuck], ...nonsense],
    waiting: services.map((
      service,
    ): [string, Meaning] => [service, ({ awaited }) => awaited.includes(service)]),
    customer: [
      ...customers.map((id): [string, Meaning] => [id, ({ customerId }) => customerId === id.toLowerCase()]),
      ...nonsense,
    ],
    receivedFrom: days.map((day) => [day, ({ receivedAt }) => receivedAt >= startOf(day)]),
    receivedTo: days.map((day) => [day, ({ receivedAt }) => receivedAt < new Date(+startOf(day) + DAY)]),
    dueFrom: [
      ...days.map((day): [string, Meaning] => [day, ({ dueAt }) => dueAt >= startOf(day)]),
      ...nonsense,
    ],
    dueTo: days.map((day) => [day, ({ dueAt }) => dueAt < new Date(+startOf(day) + DAY)]),
    unknown: [["value", undefined]],
    after: [["nonsense", undefined], ["W10", undefined]],
  };
}

const compare = (one: string | number, other: string | number) => one < other ? -1 : one > other ? 1 : 0;
const ORDERS: Record<string, (one: Row, other: Row) => number> = {
  due: (one, other) =>
    Number(one.status === "COMPLETED") - Number(other.status === "COMPLETED") ||
    one.dueAt.getTime() - other.dueAt.getTime() || compare(one.requestId, other.requestId),
  oldest: (one, other) =>
    one.createdAt.getTime() - other.createdAt.getTime() || compare(one.requestId, other.requestId),
  newest: (one, other) => -ORDERS.oldest!(one, other),
};

Deno.test("every combination of filters shows the matching rows in order", async (t) => {
  await using overview = await startOverview();
  await openRequests(overview);
  const rows = await allRows(overview);
  for (const [what, values] of Object.entries(meanings(rows))) {
    await t.step(`some request matches a value of ${what}`, () => {
      const matching = values.filter(([, meaning]) =>
        meaning && rows.some((row) => meaning(row, Date.now()))
      );
      assert.ok(matching.length > 0 || ["unknown", "after"].includes(what));
    });
  }
  const choices = Object.entries(meanings(rows)).map(([name, values]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined, freq: 3 }).map((choice) =>
      choice && { name, choice }
    )
  );
  const sorts = fc.constantFrom("due", "newest", "oldest", undefined, "sideways");
  await fc.assert(
    fc.asyncProperty(fc.tuple(...choices), sorts, async (filters, sort) => {
      const set = filters.filter((filter) => filter !== undefined);
      const search = new URLSearchParams(
        set.flatMap(({ name, choice: [value] }) => [value].flat().map((value) => [name, value])),
      );
      if (sort !== undefined) search.set("sort", sort);
      const now = Date.now();
      const expected = rows.filter((row) =>
        set.every(({ choice: [, meaning] }) => meaning?.(row, now) ?? true)
      )
        .toSorted(ORDERS[sort ?? "due"] ?? ORDERS.due!).map(({ requestId }) => requestId);
      assert.deepEqual(await listOf(overview, `/inspect?${search}`), expected, String(search));
    }),
    { numRuns: 80 },
  );
});

Deno.test("the next page continues after the last row, also if requests are opened meanwhile", async () => {
  await using overview = await startOverview();
  const before = [];
  for (let index = 0; index < 53; index++) before.push((await overview.open("ACCESS", 10 - index % 7)).id);
  for (const sort of ["due", "newest", "oldest"]) {
    const first = await show(overview, `/inspect?sort=${sort}`);
    const opened = [];
    for (const daysAgo of [20, 8, 0]) opened.push((await overview.open("ERASURE", daysAgo)).id);
    const shown = [...idsIn(first), ...await listOf(overview, nextPageOf(first) ?? "")];
    assert.equal(new Set(shown).size, shown.length, sort);
    assert.deepEqual(before.filter((id) => !shown.includes(id)), [], sort);
    before.push(...opened);
  }
});

Deno.test("a page link of another list is reported, and the first page is shown", async () => {
  await using overview = await startOverview();
  for (let index = 0; index < 51; index++) await overview.open("ACCESS", 1);
  const due = nextPageOf(await show(overview, "/inspect")) ?? "";
  const page = await show(overview, due.replace("?", "?sort=newest&"));
  assert.match(page, /The cursor in the address does not belong to this list/);
  assert.equal(idsIn(page).length, 50);
});

Deno.test("the counts match the rows, and each links to a list of that length", async () => {
  await using overview = await startOverview();
  await openRequests(overview);
  const [rows, page] = [await allRows(overview), await show(overview, "/inspect")];
  const links = [...page.matchAll(/href="(\/inspect\?[^"]+)"[^>]*>(?:<strong>)?(\d+)</g)]
    .map(([, href, count]) => ({ href: href!.replaceAll("&amp;", "&"), count: Number(count) }));
  assert.ok(links.length > 20);
  for (const { href, count } of links) assert.equal((await listOf(overview, href)).length, count, href);
  const tile = (name: string) =>
    Number(new RegExp(`<strong>(\\d+)</strong><span class="need-name">${name}<`).exec(page)?.[1]);
  const open = rows.filter(({ status }) => status !== "COMPLETED");
  assert.equal(tile("Overdue"), open.filter(({ dueAt }) => dueAt < new Date()).length);
  assert.equal(tile("On hold"), rows.filter(({ held }) => held).length);
  assert.equal(tile("Stuck"), rows.filter(({ stuck }) => stuck).length);
  for (const name of ["Overdue", "At risk", "On hold", "Stuck"]) assert.ok(tile(name) > 0, name);
  assert.match(page, new RegExp(`All, all: ${rows.length} requests`));
});

Deno.test("invalid parameters are named without their values", async () => {
  await using overview = await startInspector();
  const search =
    "type=ada@example.com&customer=ada@example.com&foo=ada@example.com&sort=up&held=yes&held=yes";
  const page = await show(overview, `/inspect?${search}`);
  const notice = /<div class="overview-notice"[^>]*>(.*?)<\/div>/s.exec(page)?.[1] ?? "";
  for (const name of ["type", "customer", "foo", "sort order", "held more than once"]) {
    assert.ok(notice.includes(name), `${name}: ${notice}`);
  }
  assert.doesNotMatch(page, /ada@example\.com/);
});

Deno.test("a column header shows the sort order and links to the reverse order", async () => {
  await using overview = await startOverview();
  await overview.open("ACCESS", 3);
  const heads = async (sort: string) =>
    [...(await show(overview, `/inspect?type=ACCESS&sort=${sort}`)).matchAll(
      /<th scope="col" aria-sort="(\w+)"><a href="([^"]+)"/g,
    )].map(([, sorted, href]) => [sorted, href!.replaceAll("&amp;", "&")]);
  const by = (sort: string) => `/inspect?type=ACCESS${sort}`;
  assert.deepEqual(await heads("due"), [["ascending", by("")], ["none", by("&sort=newest")]]);
  assert.deepEqual(await heads("newest"), [["none", by("")], ["descending", by("&sort=oldest")]]);
  assert.deepEqual(await heads("oldest"), [["none", by("")], ["ascending", by("&sort=newest")]]);
});

Deno.test("an empty store has a message, and so have filters without a match", async () => {
  await using overview = await startOverview();
  assert.match(await show(overview, "/inspect"), /This store has no requests yet/);
  await overview.open("ACCESS", 1);
  assert.match(await show(overview, "/inspect?type=ERASURE"), /No request matches these filters/);
});

Deno.test("an officer of another store sees no request; customers and other staff are refused", async () => {
  await using overview = await startOverview();
  const { id } = await overview.open("ACCESS", 60);
  const other = await show(overview, "/inspect", overview.staff(["PRIVACY_OFFICER"], crypto.randomUUID()));
  assert.doesNotMatch(other, new RegExp(id));
  assert.match(other, /This store has no requests yet/);
  assert.match(other, /<strong>0<\/strong><span class="need-name">Overdue/);
  const refused = [
    shopper(customerRef(overview.world)),
    overview.staff([]),
    overview.world.system,
  ];
  for (const principal of refused) {
    for (const path of ["/inspect", "/inspect/live"]) {
      const response = await overview.get(path, principal);
      await response.body?.cancel();
      assert.equal(response.status, 403, `${path} ${principal.type}`);
    }
  }
});

Deno.test("staff of several stores can choose among those in which they have a role, and links keep the choice", async () => {
  await using overview = await startOverview();
  const { id } = await overview.open("ACCESS", 1);
  const { world, origin, officer, staff, token } = overview;
  const home = { ...officer, storeId: crypto.randomUUID() };
  const support = { ...staff(["CUSTOMER_SUPPORT"]), id: officer.id, storeId: crypto.randomUUID() };
  const authorization = `Bearer ${await token(home, [officer, support])}`;
  const get = async (path: string) => {
    const response = await fetch(`${origin}${path}`, { headers: { authorization, accept: "text/html" } });
    return { status: response.status, page: await response.text() };
  };
  const own = await get("/inspect");
  assert.deepEqual(idsIn(own.page), []);
  assert.match(own.page, new RegExp(`href="/inspect\\?store=${world.storeId}"`));
  const ofSupport = await get(`/inspect?store=${support.storeId}`);
  assert.match(ofSupport.page, /<h1>Customers<\/h1>/);
  assert.equal((await get(`/inspect/requests/${id}?store=${support.storeId}`)).status, 403);
  const chosen = await get(`/inspect?store=${world.storeId}`);
  assert.deepEqual(idsIn(chosen.page), [id]);
  const linksToOtherStores = (page: string) =>
    [...page.matchAll(/(?:href|action|data-live)="(\/inspect[^"]*)"/g)].map(([, href]) => href!)
      .filter((href) => !href.includes(`store=${world.storeId}`) && !/\/(assets|sign-out)/.test(href));
  const others = [home, support].map(({ storeId }) => `/inspect?store=${storeId}`);
  assert.deepEqual(linksToOtherStores(chosen.page), [...others, "/inspect"]); // the form of the filters has the store in a field
  const [row] = await world.admin`select customer_id from gdpr_requests where request_id = ${id}`;
  for (const path of [`requests/${id}`, `requests/${id}?at=1`, `customers/${row?.customerId}`, "retry"]) {
    const { status, page } = await get(
      `/inspect/${path}${path.includes("?") ? "&" : "?"}store=${world.storeId}`,
    );
    assert.deepEqual([status, linksToOtherStores(page)], [200, others], path);
  }
  assert.match(chosen.page, new RegExp(`<input type="hidden" name="store" value="${world.storeId}"`));
  for (const store of [crypto.randomUUID(), "nonsense", ""]) {
    assert.equal((await get(`/inspect?store=${store}`)).status, 403, store);
  }
});

Deno.test("a live stream sends the current digest first, and a new one after a change", async () => {
  await using overview = await startOverview();
  const { officer, world, workshop } = overview;
  const request = await overview.open("ERASURE", 1);
  const shown = shownOn(await show(overview, "/inspect?type=ERASURE"));
  await using stream = readLive(await overview.get("/inspect/live?type=ERASURE", officer));
  await eventually(() => assert.deepEqual(stream.received(), [shown]));
  await register(world); // does not change the page
  await eventually(() => assert.deepEqual(stream.received(), [shown, shown]));
  await workshop.tell(request, "hold", { ground: "LEGAL_CLAIM", reason: "a court asks" }, { by: officer });
  await eventually(() => assert.notEqual(stream.received().at(-1), shown));
  assert.equal(shownOn(await show(overview, "/inspect?type=ERASURE")), stream.received().at(-1));
});

Deno.test("a completed request shows its delay, and a list without stuck requests offers no retry", async () => {
  await using overview = await startOverview();
  const late = await overview.open("RECTIFICATION", 40);
  const inTime = await overview.open("RECTIFICATION", 40);
  await overview.world.admin`
    update gdpr_requests set completed_at = due_at + interval '3 days' where request_id = ${late.id}`;
  const stuck = await overview.open("ERASURE", 20);
  await overview.runDueWork(20);
  await overview.runDueWork(10);
  const show = async (search: string) =>
    await (await overview.get(`/inspect${search}`, overview.officer)).text();
  const all = await show("");
  const rowOf = (id: string) => all.match(new RegExp(`<tr id="request-${id}">[^]*?</tr>`))?.[0] ?? "";
  assert.match(rowOf(late.id), /Completed, late by 3 days/);
  assert.match(rowOf(inTime.id), /Completed<\/span>/);
  const why =
    /order-service <span class="why">since <time datetime="[^"]+" title="[^"]+">[^<]+<\/time>: overdue</;
  assert.match(rowOf(stuck.id), why);
  assert.match(rowOf(stuck.id), /Due in|At risk/);
  assert.match(all, /Retry stuck requests/);
  assert.doesNotMatch(await show("?status=COMPLETED"), /Retry stuck requests/);
  const none = await show("?type=PORTABILITY");
  assert.match(none, /No request matches these filters/);
  assert.doesNotMatch(none, /Retry stuck requests/);
});

Deno.test("the list says how many requests match, why they wait, and gives them as CSV", async (t) => {
  await using overview = await startOverview({ participantsWithoutUrl: ["loyalty-service"] });
  const { world, workshop, officer, staff } = overview;
  const failing = await overview.open("ACCESS", 3);
  await overview.runDueWork(3);
  const by = { by: world.system };
  await workshop.tell(failing, "source.failed", { service: "order-service", error: "UNREACHABLE" }, by);
  for (let time = 0; time < 8; time++) {
    if (time > 0) await workshop.tell(failing, "retry", { service: "payment-service" }, { by: officer });
    await workshop.tell(
      failing,
      "source.failed",
      { service: "payment-service", error: "NOT_CONFIGURED" },
      by,
    );
  }
  for (let index = 0; index < 51; index++) await overview.open("ERASURE", 1);
  await t.step("the totals of the list and of each page", async () => {
    const first = await show(overview, "/inspect");
    assert.match(first, /<caption>50 of 52 requests, open requests first/);
    assert.match(await show(overview, nextPageOf(first)!), /<caption>2 further of 52 requests/);
    assert.match(await show(overview, "/inspect?type=ACCESS"), /<caption>1 request,/);
    assert.match(
      await show(overview, "/inspect?type=ACCESS"),
      /Type access\. <a href="\/inspect">Show all<\/a>/,
    );
  });
  await t.step("since when and why, and a participant without a URL is named and never asked", async () => {
    const page = await show(overview, "/inspect?type=ACCESS");
    assert.match(page, /loyalty-service has no URL/);
    assert.match(
      page,
      /order-service <span class="why">since <time[^>]+>[^<]+<\/time>: it cannot be reached</,
    );
    assert.match(
      page,
      /payment-service <span class="why">since <time[^>]+>[^<]+<\/time>: its URL is not configured</,
    );
    assert.match(page, /order-service<\/a> for 1 request \(1 failing: it cannot be reached\)/);
    const request = await show(overview, `/inspect/requests/${failing.id}`);
    const parts = ["situation", "participants"].map((part) => partOf(request, part)).join(" ");
    assert.match(
      parts,
      /payment-service could not be asked since .*: its URL is not configured; it is tried again/,
    );
    assert.match(parts, /payment-service Not asked never/);
    assert.doesNotMatch(parts, /payment-service (has not answered|Asked|Waiting to ask)/);
  });
  await t.step("the CSV has the rows of the filter, and no personal value", async () => {
    const response = await overview.get("/inspect/requests.csv?type=ACCESS", officer);
    assert.match(response.headers.get("content-type") ?? "", /^text\/csv/);
    assert.match(
      response.headers.get("content-disposition") ?? "",
      /^attachment; filename="gdpr-requests-[\d-]+\.csv"$/,
    );
    const [head, row, end] = (await response.text()).split("\r\n");
    assert.equal(end, "");
    const cells = Object.fromEntries(head!.split(",").map((name, index) => [name, row!.split(",")[index]]));
    assert.equal(cells.request_id, failing.id);
    assert.deepEqual([cells.type, cells.status, cells.outcome], ["ACCESS", "IN_PROGRESS", ""]);
    assert.equal(cells.failures, "order-service:UNREACHABLE payment-service:NOT_CONFIGURED");
    assert.doesNotMatch(row!, /@|example/);
    const all = await (await overview.get("/inspect/requests.csv", officer)).text();
    assert.equal(all.trimEnd().split("\r\n").length, 53);
    const [recorded] = await world.admin`
      select payload from outbox where payload ->> 'operation' = 'inspectRequestsCsv' order by seq desc limit 1`;
    assert.equal(recorded?.payload.rows, 52);
  });
  await t.step("a wrong filter, another store and other roles get no file", async () => {
    const several = await overview.get("/inspect/requests.csv?type=ACCESS&type=ERASURE", officer);
    const types = new Set(
      (await several.text()).trim().split("\r\n").slice(1).map((line) => line.split(",")[3]),
    );
    assert.deepEqual([...types].toSorted(), ["ACCESS", "ERASURE"]);
    const wrong = await overview.get("/inspect/requests.csv?type=nonsense", officer);
    assert.equal(wrong.status, 400);
    assert.match(
      await wrong.text(),
      /Cannot export the requests: The value of type in the address is invalid/,
    );
    const other = await overview.get(
      "/inspect/requests.csv",
      staff(["PRIVACY_OFFICER"], crypto.randomUUID()),
    );
    assert.equal((await other.text()).trimEnd().split("\r\n").length, 1);
    for (const as of [staff(["CUSTOMER_SUPPORT"]), shopper(customerRef(world)), world.system]) {
      const refused = await overview.get("/inspect/requests.csv", as);
      assert.equal(refused.status, 403);
      assert.doesNotMatch(
        await refused.text(),
        /Sign in as another/,
        "the token in the header is the client's",
      );
      const cookie = `customer-service-inspector=${await overview.token(as)}`;
      const page = await overview.get("/inspect/requests.csv", undefined, { cookie });
      assert.match(await page.text(), /href="\/inspect\/sign-in\?to=[^"]+">Sign in as another person</);
    }
  });
});

/** The demo store of a first start, and requests of guests, of an agent and of a shopper with the demo participants. */
import assert from "node:assert/strict";
import { DEMO } from "../../demo/ids.ts";
import { hashEmail } from "../../demo/peers/email_hashes.ts";
import { SAMPLE_CUSTOMERS, SAMPLE_GUESTS } from "../../demo/sample_customers.ts";
import { eventually } from "../eventually.ts";
import { startSetting } from "../examples/setting.ts";

/** For a busy machine: the history of the store is loaded in the background. */
const LONG_MS = 180_000;
const GUEST = SAMPLE_GUESTS.unknown.email;
const ANSWERED = SAMPLE_CUSTOMERS[13]!.id;
/** communication-service is silent for this customer, so an access request stays open. */
const UNANSWERED = SAMPLE_CUSTOMERS[10]!.id;

interface Listed {
  status: string;
  participants: { service: string; state: string }[];
}

const isWaitingFor = (name: string) => ({ status, participants }: Listed) =>
  status !== "COMPLETED" &&
  participants.some(({ service, state }) =>
    service === name && ["ASKED", "RETRYING", "OVERDUE"].includes(state)
  );

Deno.test("the demo store has requests in every state, and its participants answer guests, agents and shoppers", async (t) => {
  await using setting = await startSetting();
  const { httpUrl, staffToken, shopperToken, serviceToken } = setting;
  const officer = await staffToken("PRIVACY_OFFICER");

  async function rest(path: string, body?: object, token = officer) {
    const response = await fetch(`${httpUrl}${path}`, {
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
  const read = async (id: string) => (await rest(`/gdpr-requests/${id}`)).body;
  async function open(fields: object): Promise<string> {
    const { status, body } = await rest("/gdpr-requests", fields);
    assert.equal(status, 201, JSON.stringify(body));
    return body.requestId;
  }
  let early = "";
  const untilCompleted = (id: string) =>
    eventually(async () => {
      const request = await read(id);
      assert.equal(request.status, "COMPLETED");
      return request;
    }, LONG_MS);
  /** The access document in JSON, as text. */
  async function fetchDocument(id: string): Promise<string> {
    const { url } = (await rest(`/gdpr-requests/${id}/export`)).body;
    const response = await fetch(`${new URL(url, httpUrl)}/access.json`, {
      headers: { authorization: `Bearer ${await staffToken("STORE_MANAGER")}` },
    });
    assert.equal(response.status, 200);
    return await response.text();
  }

  async function ask(token: string, query: string) {
    const response = await fetch(`${httpUrl}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    const { data } = await response.json();
    assert.ok(data, query);
    return data;
  }

  await t.step("a request that is opened while the history is loaded waits for the services", async () => {
    const tom = await shopperToken(DEMO.secondCustomerId);
    const { requestAccess } = await ask(tom, "mutation { requestAccess { request { id } } }");
    early = requestAccess.request.id;
  });

  await t.step("the store has requests of all rights, in every state that an officer handles", async () => {
    const items = await eventually(async () => {
      const { body } = await rest("/gdpr-requests?limit=100");
      const items = body.items.filter(({ requestId }: { requestId: string }) => requestId !== early);
      assert.equal(items.length, 18);
      // The history would have answered for communication-service, which fails its first call for Tom.
      const { participants } = await read(early);
      const asked = participants.find(({ service }: { service: string }) =>
        service === "communication-service"
      );
      assert.equal(asked.state, "RETRYING");
      return items;
    }, LONG_MS);
    const states = async (filter: string) => (await rest(`/gdpr-requests?${filter}`)).body.items.length;
    assert.deepEqual(new Set(items.map(({ type }: { type: string }) => type)).size, 4);
    assert.deepEqual(
      {
        overdue: await states("overdue=true"),
        atRisk: items.filter(({ atRisk }: { atRisk: boolean }) => atRisk).length,
        held: items.filter(({ held }: { held: boolean }) => held).length,
        identifying: await states("identityVerified=false"),
        paused: items.filter((item: { clockPausedSince: unknown }) => item.clockPausedSince).length,
        silent: items.filter(isWaitingFor("payment-service")).length,
        refused: await states("outcome=REFUSED"),
        canceled: await states("outcome=CANCELLED"),
        erased: await states("type=ERASURE&outcome=FULFILLED"),
        guests: items.filter(({ hasAccount }: { hasAccount: boolean }) => !hasAccount).length,
      },
      {
        overdue: 1,
        atRisk: 1,
        held: 1,
        identifying: 2,
        paused: 1,
        silent: 3,
        refused: 1,
        canceled: 1,
        erased: 2,
        guests: 2,
      },
    );
    const erased = items.filter(({ type, outcome }: Record<string, string>) =>
      type === "ERASURE" && outcome === "FULFILLED"
    );
    for (const { requestId } of erased) {
      assert.equal((await rest(`/gdpr-requests/${requestId}/receipt`)).status, 200);
    }
    const { body } = await rest(
      "/customers/search",
      { email: SAMPLE_CUSTOMERS[13]!.email },
      await staffToken("STORE_MANAGER"),
    );
    assert.equal(body.items[0].lastName, SAMPLE_CUSTOMERS[13]!.lastName);
  });

  const subject = { email: GUEST.toUpperCase(), locale: "en-GB" };
  const identity = { method: "EMAIL_REPLY" };

  await t.step("a guest's access request is answered with the orders of the guest", async () => {
    const request = { type: "ACCESS", subject, channel: "EMAIL" };
    assert.equal((await rest("/gdpr-requests", request, await staffToken("CUSTOMER_SUPPORT"))).status, 403);
    assert.equal((await rest("/gdpr-requests", request, await shopperToken(ANSWERED))).status, 403);
    assert.equal((await rest("/gdpr-requests", request, "none")).status, 401);
    const id = await open(request);
    assert.equal((await read(id)).identityVerified, false);
    await rest(`/gdpr-requests/${id}/verify-identity`, identity);
    await untilCompleted(id);
    const text = await fetchDocument(id);
    for (const value of [SAMPLE_GUESTS.unknown.email, "G-2003", "Visa ending in 1881", "is on its way"]) {
      assert.ok(text.toLowerCase().includes(value.toLowerCase()), value);
    }
    assert.doesNotMatch(text, /G-200[12]/, "of other guests");
    assert.equal((await rest(`/gdpr-requests/${id}/hand-over`, {})).status, 200);
    const { fetchedAt, outcome } = await read(id);
    assert.ok(fetchedAt);
    assert.equal(outcome, "FULFILLED");
  });

  await t.step(
    "the participants erase the rows of a guest and confirm it, and a receipt proves it",
    async () => {
      const id = await open({ type: "ERASURE", subject, channel: "LETTER", identity });
      const { outcome, participants } = await untilCompleted(id);
      assert.equal(outcome, "FULFILLED");
      assert.ok(
        participants.every(({ state, signed }: Record<string, unknown>) => state === "CONFIRMED" && signed),
      );
      const { body } = await rest(`/gdpr-requests/${id}/receipt`);
      assert.doesNotMatch(JSON.stringify(body), /lena|winter/i);
      const again = await open({ type: "ACCESS", subject, channel: "EMAIL", identity });
      await untilCompleted(again);
      assert.doesNotMatch(await fetchDocument(again), /G-2003/, "the rows were erased");
    },
  );

  await t.step(
    "an agent's request on behalf of a customer is answered, and the customer sees it",
    async () => {
      const representative = { ground: "AUTHORIZATION", name: "Law office Tannegger" };
      const id = await open({
        type: "ACCESS",
        customerId: ANSWERED,
        channel: "LETTER",
        representative,
        identity: { method: "ID_DOCUMENT" },
      });
      const request = await untilCompleted(id);
      assert.deepEqual(
        [request.representative.ground, request.identityVerified, request.hasAccount],
        ["AUTHORIZATION", true, true],
      );
      assert.match(await fetchDocument(id), /1513/, "the order of the customer");
      const seen = await ask(await shopperToken(ANSWERED), "{ gdprRequests { nodes { id } } }");
      assert.ok(seen.gdprRequests.nodes.some((node: { id: string }) => node.id === id));
    },
  );

  await t.step(
    "communication-service delivers an extension and a refusal, and the shopper reads both",
    async () => {
      const shopper = await shopperToken(UNANSWERED);
      const opened = await ask(shopper, "mutation { requestPortability { request { id } } }");
      const { id } = opened.requestPortability.request;
      const fields = "status outcome reason refusalGround notices { kind delivery }";
      const own = async () => (await ask(shopper, `{ gdprRequest(id: "${id}") { ${fields} } }`)).gdprRequest;
      const untilDelivered = (kind: string) =>
        eventually(async () => {
          const request = await own();
          const notice = request.notices.find((notice: { kind: string }) => notice.kind === kind);
          assert.equal(notice?.delivery, "DELIVERED");
          return request;
        });
      await rest(`/gdpr-requests/${id}/extend`, { reason: "Many orders", note: "internal" });
      assert.equal((await untilDelivered("EXTENDED")).reason, "Many orders");
      await rest(`/gdpr-requests/${id}/refuse`, {
        reason: "Sent each day",
        ground: "EXCESSIVE",
        note: "internal",
      });
      const { outcome, reason, refusalGround } = await untilDelivered("REFUSED");
      assert.deepEqual([outcome, reason, refusalGround], ["REFUSED", "Sent each day", "EXCESSIVE"]);
      assert.doesNotMatch(JSON.stringify(await own()), /internal/);
    },
  );

  await t.step("a service that may not open requests is refused", async () => {
    const refused = await rest(
      "/gdpr-requests",
      { type: "ACCESS", subject },
      await serviceToken("cart-service"),
    );
    assert.equal(refused.status, 403);
  });
});

Deno.test("participants hash emails as their documentation says", async () => {
  const secret = Uint8Array.fromBase64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const page = await Deno.readTextFile(new URL("../../docs/participants.md", import.meta.url));
  for (const email of ["Mina.Keller@Shop.example", "info@MÜNCHEN.example"]) {
    const [hash] = hashEmail([{ id: "key", key }], email);
    assert.ok(page.includes(email) && page.includes(hash!.hash), email);
  }
});

/** The samples in TypeScript, run as programs against the real service. */
import assert from "node:assert/strict";
import { checkReceipts } from "../../actors/gdpr/receipts/check.ts";
import { DEMO } from "../../demo/ids.ts";
import { demoPublicKeys } from "../../demo/peers/signing_keys.ts";
import { eventually } from "../eventually.ts";
import { type Result, runTypeScript, type Setting, startSetting } from "./setting.ts";

Deno.test("the samples in TypeScript do what they say", async (t) => {
  await using setting = await startSetting();

  await t.step("a storefront corrects a first name, and learns which field is wrong", async () => {
    const env = await shopper(setting, DEMO.customerId);
    assertPrints(
      await runTypeScript("storefront_profile", ["Wilhelmina"], env),
      /^first name Wilhelmina, status ACTIVE, version \d+$/,
    );
    assertPrints(
      await runTypeScript("storefront_profile", ["x".repeat(101)], env),
      /^BAD_USER_INPUT: .*firstName/,
      2,
    );
  });

  await t.step("a storefront repeats a change when the profile has changed since it was read", async () => {
    const env = await shopper(setting, DEMO.customerId);
    await using proxy = interfere(setting, (body) => body.includes("{ me {"), async () => {
      await runTypeScript("storefront_profile", ["Mina"], env);
    });
    const changed = await runTypeScript("storefront_profile", ["Wilma"], {
      ...env,
      GRAPHQL_URL: `${proxy.url}/graphql`,
    });
    assertPrints(changed, /^first name Wilma, status ACTIVE, version \d+$/);
    assert.equal(proxy.seen(), 2);
  });

  await t.step("a storefront opens an access request once and lists it", async () => {
    const env = await shopper(setting, DEMO.customerId);
    for (const action of ["access", "access", "list"]) {
      const { output } = assertPrints(
        await runTypeScript("storefront_gdpr", [action], env),
        /^ACCESS \w+, due on 20/,
      );
      assert.equal(output.match(/ACCESS/g)?.length, 1, action);
    }
  });

  await t.step("a storefront has a shopper erased, and shows the request afterwards", async () => {
    const env = await shopper(setting, DEMO.secondCustomerId);
    assertPrints(await runTypeScript("storefront_gdpr", ["erasure"], env), /^ERASURE \w+, due on 20/);
    assertPrints(await runTypeScript("storefront_gdpr", ["list"], env), /^ERASURE \w+, due on 20/);
  });

  await t.step("a staff tool changes a customer in the version that it has read", async () => {
    const env = await staff(setting, "CUSTOMER_MANAGER");
    const email = "mina.keller@shop.example";
    assertPrints(
      await runTypeScript("staff_change", [email, "en-gb"], env),
      /^locale en-GB, status ACTIVE, version "\d+"$/,
    );
    assertPrints(await runTypeScript("staff_change", [email, "?"], env), /^INVALID_INPUT: .*locale/, 2);
    const reader = await staff(setting, "CUSTOMER_SUPPORT");
    assertPrints(await runTypeScript("staff_change", [email, "fr"], reader), /^FORBIDDEN: /, 2);
  });

  await t.step("a staff tool does not overwrite what someone else has changed", async () => {
    const env = await staff(setting, "CUSTOMER_MANAGER");
    const email = "mina.keller@shop.example";
    await using proxy = interfere(setting, (_, { method }) => method === "GET", async () => {
      await runTypeScript("staff_change", [email, "it"], env);
    });
    const refused = await runTypeScript("staff_change", [email, "fr"], { ...env, REST_URL: proxy.url });
    assertPrints(refused, /^CONFLICT: /, 2);
    assert.equal(proxy.seen(), 1);
  });

  await t.step("a staff tool imports a file, row by row, and may send it again", async () => {
    const env = await staff(setting, "CUSTOMER_MANAGER");
    const file = await Deno.makeTempFile({ suffix: ".ndjson" });
    try {
      const rows = [
        { email: "ada@shop.example", firstName: "Ada" },
        { email: "not an email" },
        { email: "grace@shop.example", firstName: "Grace" },
      ];
      await Deno.writeTextFile(file, rows.map((row) => JSON.stringify(row)).join("\n"));
      const expected = /^row 2: INVALID_INPUT: .*email.*\n2 CREATED, 1 REFUSED$/;
      assertPrints(await runTypeScript("staff_bulk", [file], env), expected);
      assertPrints(await runTypeScript("staff_bulk", [file], env), expected);
    } finally {
      await Deno.remove(file);
    }
  });

  await t.step(
    "the demo participants have signed their confirmations, and the receipt proves it",
    async () => {
      const headers = { authorization: `Bearer ${await setting.staffToken("PRIVACY_OFFICER")}` };
      const get = async (path: string) =>
        await (await fetch(`${setting.httpUrl}${path}`, { headers })).json();
      const found = await eventually(async () => {
        const { items } = await get(`/gdpr-requests?customerId=${DEMO.secondCustomerId}&type=ERASURE`);
        assert.equal(items[0]?.outcome, "FULFILLED");
        return items[0];
      }, 60_000);
      const keys = await demoPublicKeys();
      const { participants } = await get(`/gdpr-requests/${found.requestId}`);
      assert.deepEqual(
        participants.map(({ service, signed }: { service: string; signed: boolean }) => [service, signed]),
        Object.keys(keys).toSorted().map((service) => [service, true]),
      );
      const text = JSON.stringify(await get(`/gdpr-requests/${found.requestId}/receipt`));
      const results = await checkReceipts([{ name: "receipt.json", text }], [], [], keys);
      const findings = results.flatMap(({ findings }) => findings);
      assert.deepEqual(findings.filter(({ verdict }) => verdict === "failed"), []);
      const signed = findings.filter(({ message }) => message.endsWith("with a given key."));
      assert.equal(signed.length, participants.length);
    },
  );
});

async function shopper({ httpUrl, shopperToken }: Setting, customerId: string) {
  return { GRAPHQL_URL: `${httpUrl}/graphql`, SHOPPER_TOKEN: await shopperToken(customerId) };
}

async function staff({ httpUrl, staffToken }: Setting, role: Parameters<Setting["staffToken"]>[0]) {
  return { REST_URL: httpUrl, STAFF_TOKEN: await staffToken(role) };
}

/** A proxy before the service. After the first request of a kind has been answered, it lets someone else make a change. */
function interfere(
  { httpUrl }: Setting,
  isRead: (body: string, request: Request) => boolean,
  change: () => Promise<void>,
) {
  let seen = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const body = await request.text();
    const { method, headers } = request;
    const response = await fetch(`${httpUrl}${pathname}`, { method, headers, body: body || null });
    if (isRead(body, request) && ++seen === 1) await change();
    return response;
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    /** Number of requests of that kind. */
    seen: () => seen,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function assertPrints(result: Result, output: RegExp, code = 0): Result {
  assert.match(result.output, output, result.errors);
  assert.equal(result.code, code, result.errors);
  return result;
}

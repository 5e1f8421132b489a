/** The samples in TypeScript, run as programs against the real service. */
import assert from "node:assert/strict";
import { DEMO } from "../../demo/ids.ts";
import { type Result, runTypeScript, type Setting, startSetting } from "./setting.ts";

Deno.test("the samples in TypeScript do what they say", async (t) => {
  await using setting = await startSetting();

  await t.step("a storefront corrects a first name, and learns which field is wrong", async () => {
    const env = await shopper(setting, DEMO.customerId);
    assertPrints(
      await runTypeScript("storefront_profile", ["Wilhelmina"], env),
      /^first name Wilhelmina, version \d+$/,
    );
    assertPrints(
      await runTypeScript("storefront_profile", ["x".repeat(101)], env),
      /^BAD_USER_INPUT: .*firstName/,
      2,
    );
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
    assertPrints(await runTypeScript("staff_change", [email, "en-gb"], env), /^locale en-GB, version "\d+"$/);
    assertPrints(await runTypeScript("staff_change", [email, "?"], env), /^INVALID_INPUT: .*locale/, 2);
    const reader = await staff(setting, "CUSTOMER_SUPPORT");
    assertPrints(await runTypeScript("staff_change", [email, "fr"], reader), /^FORBIDDEN: /, 2);
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
});

async function shopper({ httpUrl, shopperToken }: Setting, customerId: string) {
  return { GRAPHQL_URL: `${httpUrl}/graphql`, SHOPPER_TOKEN: await shopperToken(customerId) };
}

async function staff({ httpUrl, staffToken }: Setting, role: Parameters<Setting["staffToken"]>[0]) {
  return { REST_URL: httpUrl, STAFF_TOKEN: await staffToken(role) };
}

function assertPrints(result: Result, output: RegExp, code = 0): Result {
  assert.match(result.output, output, result.errors);
  assert.equal(result.code, code, result.errors);
  return result;
}

/** Pages of the store's settings and of the record of processing. */
import assert from "node:assert/strict";
import { register } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { formsOf } from "./html_forms.ts";
import { textOf } from "./request_pages.ts";
import { startInspector } from "./server.ts";

/** Values of the fields that a browser would send with the form of the settings. */
const formOf = (page: string) => formsOf(page).find(({ path }) => path === "/inspect/settings")?.values ?? {};

Deno.test("an officer reads and changes the settings with a form, which keeps what was entered", async (t) => {
  await using inspector = await startInspector({ requiresController: true });
  const { officer, world } = inspector;
  const path = "/inspect/settings";
  const show = async (as = officer) => await (await inspector.get(path, as)).text();

  await t.step("a new store lacks every statement, and documents cannot be created", async () => {
    const text = textOf(await show());
    assert.match(
      text,
      /Access documents cannot be created without: controller and contact for data protection\./,
    );
    assert.match(text, /The settings have not been changed yet/);
    const request = await createRequestFixture(world).open(await register(world), "ACCESS");
    const page = await (await inspector.get(`/inspect/requests/${request.id}`, officer)).text();
    assert.match(textOf(page), /Access documents cannot be created without: controller and contact/);
    assert.match(page, /<a href="\/inspect\/settings">Enter them in the store settings<\/a>/);
    const erasure = await createRequestFixture(world).open(await register(world), "ERASURE");
    assert.ok(
      !(await (await inspector.get(`/inspect/requests/${erasure.id}`, officer)).text()).includes(
        "Not stated",
      ),
    );
  });

  await t.step("a saved form is shown again with the same values, and saves them unchanged", async () => {
    const entered = {
      ...formOf(await show()),
      name: 'Berg & "laden"',
      controllerName: "Bergladen AG",
      controllerAddress: "Bahnhofstrasse 1",
      dataProtectionContact: "datenschutz@bergladen.example",
      timeZone: "Europe/Zurich",
      erasureGraceHours: "48",
      requestRetentionDays: "1461",
      holdRetentionDays: "90",
      holidays: "2026-12-25\r\n2027-01-01",
      "language.fr": "yes",
      defaultLanguage: "de",
      "basis.pricing": "LEGITIMATE_INTERESTS",
      "explanation.pricing": "discounts for members",
      "recipients.address": "the carrier\r\n\r\nthe printer",
      "country.1": "us",
      "transferRecipient.1": "Mailer Inc.",
      "safeguard.1": "clauses",
    };
    const saved = await inspector.post(path, officer, entered);
    assert.deepEqual([saved.status, saved.headers.get("location")], [303, "/inspect/settings?saved=1"]);
    const [row] = await world.admin`select * from store_settings where store_id = ${world.storeId}`;
    assert.deepEqual(
      [
        row?.languages,
        row?.participants,
        row?.recipients,
        row?.thirdCountries,
        row?.legalBases,
        row?.automatedDecisions,
      ],
      [
        ["de", "fr"],
        null,
        { address: ["the carrier", "the printer"] },
        [{ country: "US", recipient: "Mailer Inc.", safeguard: "clauses" }],
        { pricing: { basis: "LEGITIMATE_INTERESTS", explanation: "discounts for members" } },
        null,
      ],
    );
    const page = await (await inspector.get("/inspect/settings?saved=1", officer)).text();
    assert.match(page, /role="status"[^>]*>The settings were saved\./);
    assert.match(textOf(page), /name, controller, data protection contact, .* by you/);
    const other = inspector.staff(["PRIVACY_OFFICER"]);
    assert.ok(
      !(await (await inspector.get("/inspect/settings?saved=1", other)).text()).includes("were saved"),
    );
    const again = formOf(page);
    assert.deepEqual([again.name, again["country.0"], again["language.fr"]], ['Berg & "laden"', "US", "yes"]);
    assert.equal(
      (await inspector.post(path, officer, again)).headers.get("location"),
      "/inspect/settings?saved=1",
    );
  });

  await t.step("a refused form says why and stays filled in; nothing is changed", async () => {
    const form = formOf(await show());
    for (
      const [changes, status, message] of [
        [{ timeZone: "Mars" }, 400, /timeZone must be a time zone of the IANA database/],
        [{ erasureGraceHours: "soon" }, 400, /erasureGraceHours must be of type/],
        [
          { authorityName: "EDÖB", authorityComplaint: "" },
          400,
          /supervisoryAuthority\.complaint must not be empty/,
        ],
        [{ noThirdCountries: "yes" }, 400, /either list transfers to third countries/],
        [{ version: "0" }, 412, /Conflict: someone else changed the settings first/],
        [{ version: "x" }, 400, /does not belong to this page/],
      ] as const
    ) {
      const response = await inspector.post(path, officer, { ...form, name: "Changed <b>", ...changes });
      const page = await response.text();
      assert.equal(response.status, status, page);
      assert.match(textOf(page), message);
      if (!("version" in changes && changes.version === "x")) {
        assert.equal(formOf(page).name, "Changed <b>");
        assert.match(page, /role="alert"/);
      }
    }
    assert.equal(formOf(await show()).name, 'Berg & "laden"');
  });

  await t.step("participants are all, some of them, or none", async () => {
    const stored = async (boxes: Record<string, string>) => {
      const { allParticipants: _, ...form } = formOf(await show());
      const { status } = await inspector.post(path, officer, { ...form, ...boxes });
      assert.equal(status, 303);
      const [row] = await world
        .admin`select participants from store_settings where store_id = ${world.storeId}`;
      return row?.participants;
    };
    assert.deepEqual(await stored({ "participant.order-service": "yes" }), ["order-service"]);
    assert.match(await show(), /name="participant\.order-service" value="yes" checked/);
    assert.deepEqual(await stored({ allParticipants: "yes" }), null);
  });

  await t.step("the record of processing is shown in every language", async () => {
    const record = "/inspect/record-of-processing";
    const page = await (await inspector.get(record, officer)).text();
    for (
      const text of [
        "Bergladen AG, Bahnhofstrasse 1",
        "identity-service",
        "the carrier",
        "discounts for members",
      ]
    ) {
      assert.ok(page.includes(text), text);
    }
    const german = await (await inspector.get(`${record}?language=de`, officer)).text();
    assert.match(german, /<div lang="de"><p>Verzeichnis der Verarbeitung/);
    assert.equal((await inspector.get(`${record}?language=rm`, officer)).status, 400);
  });

  await t.step("other roles, customers, other stores and forms of other sites are refused", async () => {
    const form = formOf(await show());
    for (
      const as of [inspector.staff(["CUSTOMER_MANAGER"]), {
        ...officer,
        type: "CUSTOMER" as const,
        roles: [],
      }]
    ) {
      assert.equal((await inspector.get(path, as)).status, 403);
      assert.equal((await inspector.get("/inspect/record-of-processing", as)).status, 403);
      assert.equal((await inspector.post(path, as, form)).status, 403);
    }
    const stranger = inspector.staff(["STORE_MANAGER"], crypto.randomUUID());
    assert.ok(!(await show(stranger)).includes("Bergladen"));
    assert.equal((await inspector.post(path, stranger, form)).status, 412, "its own store is at version 0");
    const foreign = await fetch(`${inspector.origin}${path}`, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: { origin: "https://evil.example", authorization: `Bearer ${await inspector.token(officer)}` },
      redirect: "manual",
    });
    await foreign.body?.cancel();
    assert.equal(foreign.status, 403);
    const cookie = `customer-service-inspector=${await inspector.token(officer)}`;
    const withoutToken = await fetch(`${inspector.origin}${path}`, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: { origin: inspector.origin, cookie },
      redirect: "manual",
    });
    assert.match(await withoutToken.text(), /belongs to another session/);
    assert.equal(withoutToken.status, 403);
  });
});

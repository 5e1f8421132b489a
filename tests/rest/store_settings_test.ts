/** `/store-settings`: one set of settings for each store, versioned, journaled and validated. */
import assert from "node:assert/strict";
import { startRest } from "./server.ts";

Deno.test("settings of a store", async (t) => {
  await using rest = await startRest();
  const officer = rest.staff(["PRIVACY_OFFICER"]);
  const path = "/store-settings";
  const patch = (body: unknown, headers: Record<string, string> = {}, as = officer) =>
    rest.call("PATCH", path, { as, body, headers });

  await t.step("a store that has set nothing has version 0 and null for every setting", async () => {
    const { status, body, headers } = await rest.call("GET", path, { as: officer });
    assert.deepEqual([status, body.version, headers.get("etag"), body.updatedAt], [200, 0, '"0"', null]);
    const { version: _, updatedAt: __, ...settings } = body;
    assert.equal(Object.keys(settings).length, 17);
    assert.ok(Object.values(settings).every((value) => value === null));
  });

  await t.step(
    "a change sets what it names, with the version and the conditions of other resources",
    async () => {
      const controller = { name: "Bergladen AG", address: "Bahnhofstrasse 1, 8001 Zürich" };
      const stale = await patch({ controller }, { "if-match": '"3"' });
      assert.deepEqual([stale.status, stale.body.code], [412, "CONFLICT"]);
      const created = await patch({ controller, erasureGraceHours: 48 }, {
        "if-match": '"0"',
        "idempotency-key": "k1",
      });
      assert.deepEqual([created.status, created.headers.get("etag")], [200, '"1"']);
      const repeated = await patch({ controller, erasureGraceHours: 48 }, {
        "if-match": '"0"',
        "idempotency-key": "k1",
      });
      assert.deepEqual([repeated.status, repeated.body], [200, created.body]);
      const changed = await patch(
        { holidays: ["2026-12-25"], languages: ["de", "fr"], legalBases: { pricing: { basis: "CONTRACT" } } },
        { "if-match": '"1"' },
      );
      assert.deepEqual([changed.body.version, changed.body.controller, changed.body.erasureGraceHours], [
        2,
        controller,
        48,
      ]);
      assert.deepEqual(changed.body.languages, ["de", "fr"]);
      const same = await patch({ legalBases: { pricing: { basis: "CONTRACT" } }, controller });
      assert.equal(same.body.version, 2, "nothing has changed");
      const removed = await patch({ erasureGraceHours: null, holidays: null });
      assert.deepEqual([removed.body.version, removed.body.erasureGraceHours, removed.body.holidays], [
        3,
        null,
        null,
      ]);
      const { status } = await rest.call("GET", path, { as: officer, headers: { "if-none-match": '"3"' } });
      assert.equal(status, 304);
    },
  );

  await t.step("the journal and the audit log name the fields and no values", async () => {
    const { storeId, admin } = rest.world;
    const journal = await admin`
      select event_type, changed_fields, principal_id from actor_events
      where actor_kind = 'store_settings' and actor_id = ${storeId} order by sequence`;
    assert.deepEqual(journal.map(({ changedFields }) => changedFields), [
      ["controller", "erasure_grace_hours"],
      ["holidays", "languages", "legal_bases"],
      ["holidays", "erasure_grace_hours"],
    ]);
    assert.ok(journal.every(({ principalId }) => principalId === officer.id));
    const messages = await admin`
      select payload from outbox where key = ${storeId} and payload->>'action' = 'STORE_SETTINGS_CHANGED' order by seq`;
    assert.deepEqual(
      messages.map(({ payload }) => [payload.target, payload.after.version]),
      [1, 2, 3].map(
        (version) => [{ type: "store_settings", id: storeId }, version],
      ),
    );
    assert.ok(!JSON.stringify([journal, messages]).includes("Bergladen"));
  });

  await t.step(
    "wrong settings are refused as a whole, also participants that are not configured",
    async () => {
      for (
        const [body, message] of [
          [{}, /must have at least one of the fields name, controller/],
          [{ name: "Bergladen", timeZone: "Mars" }, /timeZone must be a time zone/],
          [
            { participants: ["order-service", "spy-service"] },
            /participants must be services of GDPR_PARTICIPANTS: order/,
          ],
          [{ version: 7 }, /version is not known/],
        ] as const
      ) {
        const { status, body: refusal } = await patch(body);
        assert.deepEqual([status, refusal.code], [400, "INVALID_INPUT"]);
        assert.match(refusal.message, message);
      }
      const { body } = await rest.call("GET", path, { as: officer });
      assert.deepEqual([body.version, body.name], [3, null]);
    },
  );

  await t.step("staff of another store read and change their own settings only", async () => {
    const stranger = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
    const read = await rest.call("GET", path, { as: stranger });
    assert.deepEqual([read.status, read.body.version, read.body.controller], [200, 0, null]);
    assert.equal((await patch({ name: "Other" }, {}, stranger)).body.version, 1);
    const { body } = await rest.call("GET", path, { as: officer });
    assert.deepEqual([body.name, body.version], [null, 3]);
  });

  await t.step(
    "two first changes at the same moment: one is stored, the other is refused or changes it",
    async () => {
      const as = rest.staff(["STORE_MANAGER"], crypto.randomUUID());
      const replies = await Promise.all(
        ["a", "b", "c", "d"].map((name) => patch({ name }, { "if-match": '"0"' }, as)),
      );
      assert.equal(replies.filter(({ status }) => status === 200).length, 1);
      for (const { status } of replies) assert.ok([200, 409, 412].includes(status), `${status}`);
      assert.equal((await rest.call("GET", path, { as })).body.version, 1);
    },
  );
});

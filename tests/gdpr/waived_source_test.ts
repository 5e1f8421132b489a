/** A participant that is waived while it sends its records. */
import assert from "node:assert/strict";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ParticipantClient } from "../../actors/gdpr/types.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createKeys } from "./keys.ts";

const SERVICE = "order-service";

Deno.test("waiving a participant ends its endless stream, and the request is completed", async () => {
  await using world = await createWorld({ requests: await requestSettings({ participants: [SERVICE] }) });
  let ended = false;
  const endless: ParticipantClient = {
    async *collect(_service, _request, signal) {
      try {
        for (let number = 1;; number++) {
          const data = { number };
          const facts = { category: "order", purpose: "to deliver", retention: "a year", recipients: [] };
          yield { record: { ...facts, data, recordedAt: undefined }, cursor: String(number) };
          if (number % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          signal.throwIfAborted();
        }
      } finally {
        ended = true;
      }
    },
  };
  const api = world.database.pool("customer_api");
  const sql = world.database.pool("customer_worker");
  const performers = createRequestPerformers(api, endless, await createKeys());
  const customer = await register(world);
  const ref = { kind: "gdpr_request" as const, storeId: world.storeId, id: crypto.randomUUID() };
  await tell(world, ref, "open", { customerId: customer.id, right: "ACCESS" });
  await using _worker = startWorker({ sql, api, actors: world.actors, performers, pollMs: 20 });
  const records = async () => {
    const [part] = await world.admin`
      select records from gdpr_export_parts where request_id = ${ref.id} and part = ${`source/${SERVICE}`}`;
    return part?.records ?? 0;
  };
  await eventually(async () => assert.ok(await records() > 0));
  assert.equal(ended, false, "the stream still runs");
  await tell(world, ref, "waive", { service: SERVICE, reason: "it never ends" }, {
    by: { ...world.staff, roles: ["PRIVACY_OFFICER"] },
  });
  await eventually(() => assert.ok(ended));
  await eventually(async () => {
    const [row] = await world.admin`select status, outcome from gdpr_requests where request_id = ${ref.id}`;
    assert.equal(row?.status, "COMPLETED");
  });
});

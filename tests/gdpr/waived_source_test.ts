/** A participant that is waived while it sends its records, or right after the last of them. */
import assert from "node:assert/strict";
import type { ActorRef } from "../../actors/commands.ts";
import type { EffectContext } from "../../actors/runtime/effects.ts";
import { readChunks } from "../../actors/gdpr/exports/chunks.ts";
import { createRequestPerformers } from "../../actors/gdpr/mod.ts";
import type { ParticipantClient } from "../../actors/gdpr/types.ts";
import { startWorker } from "../../actors/runtime/worker.ts";
import { requestSettings } from "../actors/settings.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { eventually } from "../eventually.ts";
import { createKeys } from "./keys.ts";
import { createRequestFixture } from "./request_fixture.ts";

const SERVICE = "order-service";
const FACTS = { category: "order", purpose: "to deliver", retention: "a year", recipients: [] };

Deno.test("waiving a participant ends its endless stream, and the request is completed", async () => {
  await using world = await createWorld({ requests: await requestSettings({ participants: [SERVICE] }) });
  let ended = false;
  const endless: ParticipantClient = {
    async *collect(_service, _request, signal) {
      try {
        for (let number = 1;; number++) {
          const data = { number };
          yield { record: { ...FACTS, data, recordedAt: undefined }, cursor: String(number) };
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

Deno.test("the documents contain an answer that was complete before the waiver, and state the waiver", async () => {
  await using world = await createWorld({ requests: await requestSettings({ participants: [SERVICE] }) });
  const client: ParticipantClient = {
    async *collect() {
      const record = { ...FACTS, data: { article: "Teapot" }, recordedAt: undefined };
      yield await Promise.resolve({ record, cursor: "1" });
    },
  };
  const keys = await createKeys();
  const api = world.database.pool("customer_api");
  const performers = createRequestPerformers(api, client, keys);
  const by = { ...world.staff, roles: ["PRIVACY_OFFICER" as const] };
  const reason = "it was slow";
  const requests = createRequestFixture(world, {
    ...performers,
    "source.collect": (effect, context) => {
      const send: EffectContext["actors"]["send"] = async (ref, ...command) => {
        // Everything is stored, and the request has not learned it yet.
        if (effect.params.service === SERVICE) {
          await requests.tell(ref as ActorRef, "waive", { service: SERVICE, reason }, { by });
        }
        return await context.actors.send(ref, ...command);
      };
      return performers["source.collect"](effect, { ...context, actors: { ...context.actors, send } });
    },
  });
  const customer = await register(world);
  for (const [right, part] of [["ACCESS", "access.json"], ["PORTABILITY", "portability.json"]] as const) {
    const request = await requests.open(customer, right);
    await requests.work();
    const { status, outcome } = await requests.row(request);
    assert.deepEqual([status, outcome], ["COMPLETED", "FULFILLED_WITH_WAIVERS"]);
    const key = { storeId: request.storeId, requestId: request.id };
    const chunks = ReadableStream.from(readChunks(api, keys.exportKey, { ...key, part }));
    const document = await new Response(chunks.pipeThrough(new DecompressionStream("gzip"))).json();
    const source = document.sources.find(({ service }: { service: string }) => service === SERVICE);
    assert.deepEqual([source.complete, source.waiverReason], [true, reason]);
    assert.deepEqual(source.records, [{ ...FACTS, data: { article: "Teapot" } }]);
    if (right === "ACCESS") {
      const summary =
        "order-service has provided 1 record about you. Its answer is complete, although the store had decided " +
        "not to wait for it: it was slow";
      assert.equal(source.summary, summary);
    }
  }
});

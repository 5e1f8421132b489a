/** Trace propagation into Kafka. */
import assert from "node:assert/strict";
import { newTraceparent } from "../../lib/trace_context.ts";
import { createWorld, register, tell } from "../actors/world.ts";
import { consume, kafkaTest, SHARED_BROKER } from "../events/kafka.ts";
import { eventually } from "../eventually.ts";
import { portsOf, production, TRUSTING } from "../production.ts";
import { startService } from "../service.ts";
import { startReceiver } from "./receiver.ts";

kafkaTest(
  "events have their trace as a Kafka header, and the produce span belongs to the batch",
  async () => {
    await using world = await createWorld();
    const ref = await register(world);
    const traceparent = newTraceparent().replace(/00$/, "01");
    const [, traceId, spanId] = traceparent.split("-");
    await tell(world, ref, "profile.update", { firstName: "Ada" }, { traceparent });
    await using consumer = await consume([ref.id]);
    await using receiver = startReceiver();
    await using service = startService({
      ...production(world.database.url),
      ...TRUSTING,
      KAFKA_BROKERS: SHARED_BROKER!,
      KAFKA_REPLICATION_FACTOR: "1",
      ...receiver.env,
    });
    await portsOf(service);
    await eventually(() => {
      const headers = consumer.received.filter(({ topic }) => topic === "customer.updated")
        .map(({ headers }) => headers.traceparent);
      assert.deepEqual(new Set(headers), new Set([traceparent]));
    }, 60_000);
    await service.stop("SIGTERM");

    const spans = receiver.spans();
    const published = spans.find((span) =>
      span.traceId === traceId && span.name === "publish customer.updated"
    );
    assert.equal(published?.parentSpanId, spanId);
    const batch = spans.find((span) => span.spanId === published?.links[0]?.spanId);
    assert.equal(batch?.name, "publish outbox");
    const send = spans.find((span) => span.parentSpanId === batch?.spanId);
    assert.match(send?.name ?? "", /^send/);
    assert.equal(send?.kind, 3);
    for (const span of [published, send]) {
      assert.equal(span?.attributes["messaging.system"], "kafka");
      assert.equal(span?.attributes["messaging.operation.type"], "send");
    }
    const [host, port] = SHARED_BROKER!.split(":");
    assert.equal(send?.attributes["server.address"], host);
    assert.equal(send?.attributes["server.port"], BigInt(port!));
    const points = receiver.metrics().get("customer_service.outbox.published");
    const updated = points?.find(({ attributes }) =>
      attributes["messaging.destination.name"] === "customer.updated"
    );
    assert.equal(updated?.value, 1);
  },
);

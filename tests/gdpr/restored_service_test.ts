/** A production service on a restored database, with a marker file, while Kafka is unavailable. */
import assert from "node:assert/strict";
import { hasEarlierMarker } from "../../events/restore_marker.ts";
import { eventually } from "../eventually.ts";
import { gatewayHeaders, portsOf, production, TRUSTING } from "../production.ts";
import { connect } from "../rpc/client.ts";
import { startService, temporaryFolder } from "../service.ts";
import { startReceiver } from "../telemetry/receiver.ts";
import { createRestoredBackup } from "./restored_backup.ts";
import { runTask } from "./task.ts";

const GAUGE = "customer_service.erasure_memory.missing";

Deno.test("a service on a restored database is not ready in any way, until the missing erasures are accepted", async () => {
  await using backup = await createRestoredBackup();
  await using folder = await temporaryFolder();
  const { erased, restored, hashKey } = backup;
  const markerFile = `${folder.path}/marker`;
  assert.equal(await hasEarlierMarker(erased.database.pool("customer_worker", 1), markerFile), false);
  const { officer } = restored;
  const headers = {
    ...gatewayHeaders(officer),
    "x-principal-type": "STAFF",
    "x-roles": `PRIVACY_OFFICER@${officer.storeId}`,
  };

  /** Starts the service and returns what it says in each place. */
  async function observe(isExpected: (text: string) => boolean) {
    await using receiver = startReceiver();
    await using service = startService({
      ...production(restored.database.url),
      ...TRUSTING,
      ...receiver.env,
      OTEL_METRIC_EXPORT_INTERVAL: "500",
      GDPR_HASH_KEY: hashKey,
      GDPR_MARKER_FILE: markerFile,
    });
    const ports = await portsOf(service);
    const origin = `http://127.0.0.1:${ports.http}`;
    const readiness = async () => {
      const response = await fetch(`${origin}/readyz`);
      return { status: response.status, text: await response.text() };
    };
    await eventually(async () => assert.ok(isExpected((await readiness()).text)));
    using client = connect(ports.grpc);
    const { status, text } = await readiness();
    // Probes of the platform keep the process alive, and the health service follows /readyz.
    const health = status === 200 ? "SERVING" : "NOT_SERVING";
    await eventually(async () => assert.equal(await client.health(), health));
    const alive = await fetch(`${origin}/healthz`);
    await alive.body?.cancel();
    const page = await (await fetch(`${origin}/inspect`, { headers: { ...headers, accept: "text/html" } }))
      .text();
    assert.match(page, /GDPR requests/);
    const gauge = () => receiver.metrics().get(GAUGE)?.map(({ value }) => Number(value));
    await eventually(() => assert.ok(gauge()));
    return {
      readyz: [status, text],
      healthz: alive.status,
      inspector: page.includes("The database was restored from a backup"),
      gauge: gauge(),
      warned: /restored from a backup.*not ready until/.test(service.output()),
    };
  }

  const reason = "the database was restored and lacks erasures: see deno task erasure replay\n";
  const before = await observe((text) => text === reason);
  assert.deepEqual(before, {
    readyz: [503, reason],
    healthz: 200,
    inspector: true,
    gauge: [1],
    warned: true,
  });

  const { code, stdout } = await runTask("erasure", ["accept", "--reason", "checked by hand"], {
    DATABASE_URL: restored.database.url,
    DATA_DIR: folder.path,
    GDPR_MARKER_FILE: markerFile,
  });
  assert.deepEqual([code, stdout.startsWith("Accepted.")], [0, true]);
  const after = await observe((text) => text === "ready\n");
  assert.deepEqual(after, {
    readyz: [200, "ready\n"],
    healthz: 200,
    inspector: false,
    gauge: [0],
    warned: false,
  });
});

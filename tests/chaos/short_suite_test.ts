/** The short suite of faults: what is promised holds while replicas, PostgreSQL and Kafka are killed and suspended. */
import assert from "node:assert/strict";
import { SHARED_BROKER } from "../events/kafka.ts";
import { checkEvidence } from "./check.ts";
import { SHORT_SUITE } from "./short_suite.ts";
import { readEvidence } from "./history.ts";
import { writeReport } from "./report.ts";
import { runSuite } from "./suite.ts";

/** Any number: the choices of clients and faults follow from it. */
const SEED = 7;

/** Suspending processes needs Linux' /proc. */
const ignore = !SHARED_BROKER || Deno.build.os !== "linux";

Deno.test({ name: "promises hold through kills, pauses, lost answers and outages", ignore }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "customer-service-chaos-" });
  await runSuite(SHORT_SUITE, { seed: SEED, folder, print: () => {} });
  const checked = await checkEvidence(await readEvidence(folder));
  // A broken promise leaves its evidence for `deno task chaos check`.
  assert.ok(checked.findings.length === 0, `${writeReport(checked)}\nThe evidence is in ${folder}`);
  assert.deepEqual(
    new Set(checked.facts.evidence.faults.map(({ name }) => name)),
    new Set([
      "kill -9 a replica",
      "answers of commits lost",
      "SIGSTOP a replica",
      "kill -9 the postmaster",
      "Kafka SIGSTOP",
      "orderly end",
    ]),
  );
  await Deno.remove(folder, { recursive: true });
});

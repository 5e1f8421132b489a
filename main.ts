/** The entry of the service: reads the configuration, and loads and runs the parts of its role. */
import { getLogger } from "@logtape/logtape";
import { refuseFaultyDeno } from "./config/deno_version.ts";
import { configureLogging } from "./config/logging.ts";
import { readConfig } from "./config/mod.ts";
import { readVault } from "./config/vault.ts";
import { describeError } from "./lib/error_description.ts";
import { exitOnUncaught, waitForShutdown } from "./shutdown.ts";
import { explain } from "./start.ts";
import { CANNOT_START, isWorker, supervise, untilOrphaned } from "./supervisor.ts";
import { awaitExports } from "./telemetry/exports.ts";

/** What an edge reads from Vault: it needs no key, and only the database logins that its environment gives it. */
const EDGE_SECRETS = ["OTEL_EXPORTER_OTLP_ENDPOINT"];

/** Runs the service until a termination signal and returns the exit code. */
async function main(): Promise<number> {
  try {
    refuseFaultyDeno(Deno.version.deno);
    const env = Deno.env.toObject();
    await using _log = await configureLogging(env.DENO_ENV === "production", env.LOG_LEVEL);
    exitOnUncaught();
    const log = getLogger(["customer-service"]);
    const isEdge = env.ROLES === "edge";
    const vault = await readVault(env, {
      report: (text) => log.info(text),
      ...(isEdge && { variables: EDGE_SECRETS }),
    });
    const config = readConfig({ ...env, ...vault });
    const traced = "OTEL_EXPORTER_OTLP_ENDPOINT" in vault; // only for child processes: Deno reads it at its start
    if (!isWorker() && (config.workers > 1 || traced)) {
      return await supervise({ ...(traced && { OTEL_DENO: "true" }), ...env, ...vault }, config);
    }
    if (config.production) await Deno.permissions.revoke({ name: "run" }); // only a supervisor needs it
    // before the start, which would otherwise leave the embedded database running
    const shutdown = waitForShutdown(config.shutdownDelayMs, isWorker() ? untilOrphaned() : undefined);
    const stopping = new AbortController();
    void shutdown.then(() => stopping.abort());
    const { start } = isEdge ? await import("./edge_service.ts") : await import("./service.ts");
    const service = await start(config, stopping.signal);
    await shutdown;
    return await stop(service);
  } catch (error) {
    // deno-lint-ignore no-console -- the log may not be configured yet
    console.error(explain(error));
    return isWorker() ? CANNOT_START : 1;
  }
}

/** Ends all parts and returns the exit code. */
async function stop(service: AsyncDisposable): Promise<number> {
  const log = getLogger(["customer-service"]);
  try {
    await service[Symbol.asyncDispose]();
    log.info("Stopped");
    return 0;
  } catch (error) {
    log.error("Stopped, but not all parts have ended in order: {reason}", { reason: describeError(error) });
    return 1;
  }
}

if (import.meta.main) {
  const untilExported = awaitExports(Deno.env.get("OTEL_METRIC_EXPORT_INTERVAL"));
  const code = await main();
  await untilExported();
  Deno.exit(code);
}

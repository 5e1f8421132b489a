/** Health check of the container: calls /healthz and exits with 1 if it fails. */
const port = Deno.env.get("HTTP_PORT") || "4000";
const bind = Deno.env.get("BIND") || "0.0.0.0";
const host = bind === "0.0.0.0" ? "127.0.0.1" : bind.includes(":") ? `[${bind}]` : bind;
const response = await fetch(`http://${host}:${port}/healthz`, { signal: AbortSignal.timeout(4_000) })
  .catch(() => undefined);
Deno.exit(response?.ok ? 0 : 1);

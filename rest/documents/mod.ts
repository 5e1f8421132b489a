/** `/`, `/openapi.json` and its viewer at `/docs`: public, because they contain no data. */
import { gzipSync } from "node:zlib";
import { type Context, Hono } from "@hono/hono";
import { accepts } from "@hono/hono/accepts";
import { html } from "@hono/hono/html";
import { sha256 } from "../../lib/hash.ts";
import type { OpenApiDocument } from "./openapi.ts";

/** The script of Scalar, gzipped. */
const SCALAR = new URL("../../vendor/scalar/standalone.js.gz", import.meta.url);

/** The page loads nothing from other origins. Scalar requires inline styles. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SETTINGS = {
  agent: { disabled: true },
  hideClientButton: true,
  mcp: { disabled: true },
  persistAuth: false,
  showDeveloperTools: "never",
  telemetry: false,
  withDefaultFonts: false,
};

/** What is found under which path, as a list of links. */
const PATHS = [
  ["/inspect", "Inspector of GDPR requests, for staff"],
  ["/graphql", "GraphQL for shoppers"],
  ["/docs", "REST API for staff and services"],
  ["/openapi.json", "Contract of the REST API"],
  ["/.well-known/erasure-receipt-keys.json", "Public keys of erasure receipts"],
  ["/healthz", "Whether the process runs"],
  ["/readyz", "Whether it serves requests"],
] as const;

/** @param demoToken of the caller as whom the viewer sends requests */
export function createDocuments(document: OpenApiDocument, demoToken?: () => Promise<string>): Hono {
  const text = JSON.stringify(document);
  const contract = once(() => ({ etag: `W/"${sha256(text).toHex().slice(0, 16)}"`, gzip: gzipSync(text) }));
  let script: Promise<Uint8Array<ArrayBuffer>> | undefined; // decompressed, for the few clients without gzip
  return new Hono()
    .get("/", (c) => {
      const type = accepts(c, {
        header: "Accept",
        supports: ["application/json", "text/html"],
        default: "application/json",
      });
      c.header("vary", "accept");
      if (type === "application/json") return c.json({ paths: Object.fromEntries(PATHS) });
      c.header("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
      const items = PATHS.map(([path, what]) => html`<li><a href="${path}">${path}</a>: ${what}</li>`);
      return c.html(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>customer-service</title>
  </head>
  <body>
    <h1>customer-service</h1>
    <p>Customers, shopper groups and GDPR requests. gRPC is on a port of its own.</p>
    <ul>
      ${items}
    </ul>
  </body>
</html>`);
    })
    .get("/openapi.json", (c) => {
      const { etag, gzip } = contract();
      c.header("etag", etag);
      c.header("cache-control", "no-cache");
      c.header("vary", "accept-encoding");
      if (c.req.header("if-none-match")?.includes(etag)) return c.body(null, 304);
      c.header("content-type", "application/json");
      if (!acceptsGzip(c)) return c.body(text);
      c.header("content-encoding", "gzip");
      return c.body(gzip);
    })
    .get("/docs", async (c) => {
      c.header("content-security-policy", POLICY);
      c.header("cache-control", "no-store");
      const bearer = demoToken && { token: await demoToken() };
      const authentication = bearer && { preferredSecurityScheme: "bearer", securitySchemes: { bearer } };
      const settings = JSON.stringify({ ...SETTINGS, authentication });
      return c.html(html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Customer API</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <script id="api-reference" data-url="/openapi.json" data-configuration="${settings}"></script>
    <script src="/docs/scalar.js"></script>
    <noscript>This page requires JavaScript. The document is at <a href="/openapi.json">/openapi.json</a>.</noscript>
  </body>
</html>`);
    })
    .get("/docs/scalar.js", async (c) => {
      c.header("content-type", "text/javascript; charset=utf-8");
      c.header("cache-control", "public, max-age=86400");
      c.header("vary", "accept-encoding");
      if (!acceptsGzip(c)) return c.body(streamOf(await (script ??= decompressScript())));
      c.header("content-encoding", "gzip");
      return c.body((await Deno.open(SCALAR)).readable);
    });
}

function acceptsGzip(c: Context): boolean {
  const supports = ["gzip", "identity"];
  return accepts(c, { header: "Accept-Encoding", supports, default: "identity" }) === "gzip";
}

/** Postpones work that only the first reader of the contract needs. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

async function decompressScript(): Promise<Uint8Array<ArrayBuffer>> {
  const { readable } = await Deno.open(SCALAR);
  return await new Response(readable.pipeThrough(new DecompressionStream("gzip"))).bytes();
}

const CHUNK_BYTES = 64 * 1_024;

/** Streams in chunks: slow clients then share the bytes, while a response in one piece is copied for each client. */
function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(sent, sent += CHUNK_BYTES));
      if (sent >= bytes.byteLength) controller.close();
    },
  }, { highWaterMark: 0 });
}

/** `/exports/{token}`: the documents of a GDPR export. Each link returns each document once. */
import { type Context, Hono } from "@hono/hono";
import { accepts } from "@hono/hono/accepts";
import { html } from "@hono/hono/html";
import { type ExportDownloads, ExportGone, type ExportPart } from "../actors/gdpr/exports/downloads.ts";
import type { Authenticator } from "../auth/principals.ts";
import { unknownLength } from "../http/head.ts";
import { confirmedDownload, pacedDownload } from "../http/pace.ts";
import type { RefusalLog } from "../actors/refusal_log.ts";
import { reportRefusal } from "./access.ts";
import { type ApiEnv, authenticated } from "./api.ts";
import { downloadHeaders } from "./download_headers.ts";
import { clientClosedRequest, respondWithError } from "./errors.ts";
import { limitPrincipals, type Limits, limitUnauthenticated } from "./limits.ts";
import { createStreamQuota, openStream } from "./stream_quota.ts";

export interface ExportRouteOptions {
  refusals: RefusalLog;
  downloads: ExportDownloads;
  authenticate: Authenticator;
  limits: Limits;
}

/** Creates an app to mount at `/exports`. */
export function createExports(
  { downloads, authenticate, limits, refusals }: ExportRouteOptions,
): Hono<ApiEnv> {
  const streams = createStreamQuota();
  return new Hono<ApiEnv>()
    .use(downloadHeaders)
    .use(authenticated(authenticate, (c) => limitUnauthenticated(c, limits)), limitPrincipals(limits))
    .get("/:token", async (c) => {
      const token = c.req.param("token");
      return respondWithList(c, token, await downloads.list(token, c.var.by));
    })
    .get("/:token/:part", async (c) => {
      const { by, traceparent } = c.var;
      c.set("operation", "downloadExport");
      const { token, part } = c.req.param();
      // A HEAD request, as link checkers send it, does not use up the link.
      if (c.req.method === "HEAD") {
        return respondWithPart(c, await downloads.describe(token, part, by), unknownLength());
      }
      const release = openStream(c, streams); // before the link is used up
      try {
        const { gzip, delivered, ...document } = await downloads.fetch(token, part, by, traceparent);
        return respondWithPart(c, document, pacedDownload(gzip, { onEnd: release }), delivered);
      } catch (error) {
        release();
        throw error;
      }
    })
    .onError(async (error, c) => {
      await reportRefusal(c, refusals, error);
      if (c.req.raw.signal.aborted) return clientClosedRequest();
      return respondWithError(c, error, error instanceof ExportGone ? 410 : undefined);
    });
}

/**
 * Sends the part as it is stored, or decompressed if the client does not accept gzip.
 *
 * @param delivered called when the client has received the part
 */
function respondWithPart(
  c: Context,
  { part, mediaType }: ExportPart,
  gzip: ReadableStream<Uint8Array<ArrayBuffer>>,
  delivered: () => Promise<void> = () => Promise.resolve(),
): Response {
  const encoding = accepts(c, {
    header: "Accept-Encoding",
    supports: ["gzip", "identity"],
    default: "identity",
  });
  c.header("content-type", mediaType);
  c.header("content-disposition", `attachment; filename="${part}"`);
  c.header("vary", "accept-encoding");
  if (encoding === "gzip") c.header("content-encoding", "gzip");
  if (c.req.method === "HEAD") return c.newResponse(gzip);
  const body = encoding === "gzip" ? gzip : gzip.pipeThrough(new DecompressionStream("gzip"));
  return c.newResponse(confirmedDownload(body, { delivered }));
}

function respondWithList(
  c: Context,
  token: string,
  parts: readonly ExportPart[],
): Response | Promise<Response> {
  const entries = parts.map(({ part, mediaType, bytes, sha256 }) => ({
    name: part,
    mediaType,
    bytes,
    sha256,
    href: `/exports/${token}/${part}`,
  }));
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "text/html"],
    default: "application/json",
  });
  c.header("vary", "accept");
  const expiresAt = parts[0]!.expiresAt;
  if (type !== "text/html") return c.json({ expiresAt, parts: entries });
  return c.html(html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Your export</title>
      </head>
      <body>
        <h1>Your export</h1>
        <p>Each part can be fetched once with this page's address, until ${expiresAt.toUTCString()}.</p>
        <ul>
    ${entries.map(({ name, bytes, sha256, href }) =>
      html`
        <li><a href="${href}">${name}</a> (${bytes} bytes, SHA-256 ${sha256})</li>
      `
    )}</ul>
      </body>
    </html>
  `);
}

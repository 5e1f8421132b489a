/** Bulk upsert fixture: a server, and a client that sends rows while it reads results. */
import { noLimits } from "./server.ts";
import { withAccess } from "../../rest/access.ts";
import { createAccess } from "./access.ts";
import { Hono } from "@hono/hono";
import { createActors } from "../../actors/mod.ts";
import type { Principal } from "../../domain/principal.ts";
import { createTokenAuthenticator } from "../../auth/principals.ts";
import type { Sql } from "../../db/connect.ts";
import { createLookups } from "../../db/lookups.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { type ConcurrencyLimit, shedLoad } from "../../http/load_shedding.ts";
import type { ConcurrencyQuota } from "../../http/concurrency_quota.ts";
import { authenticated, createApi } from "../../rest/api.ts";
import { errorResponse } from "../../rest/errors.ts";
import { addBulkRoutes } from "../../rest/customers/bulk.ts";
import { requestSettings } from "../actors/settings.ts";
import type { World } from "../actors/world.ts";
import { bearer, createIssuer, serve } from "../graph/server.ts";

// deno-lint-ignore no-explicit-any -- tests read results of every shape
export type Line = any;

export interface BulkCall extends Disposable {
  status: number;
  headers: Headers;
  send(text: string): Promise<void>;
  finish(): Promise<void>;
  /** Returns the next line of the response; undefined after the last one. */
  next(): Promise<Line | undefined>;
  /** Returns all remaining lines. */
  rest(): Promise<Line[]>;
}

export interface BulkServer extends AsyncDisposable {
  /** @param first text that is sent before the response headers are read */
  open(as: Principal, first: string, headers?: Record<string, string>): Promise<BulkCall>;
}

/** Serves only the bulk upsert. A test may pass its own pool, and end it. */
export async function serveBulk(
  world: World,
  {
    sql = world.database.pool("customer_api"),
    closing = new AbortController().signal,
    concurrency,
    streams,
    ...limits
  }: {
    sql?: Sql;
    stallMs?: number;
    refusedLimit?: number;
    closing?: AbortSignal;
    concurrency?: ConcurrencyLimit;
    streams?: ConcurrencyQuota;
  } = {},
): Promise<BulkServer> {
  const issuer = await createIssuer();
  const api = createApi();
  if (concurrency) api.use("*", shedLoad(concurrency, ({ message }) => ({ message })));
  api.onError((error, c) => {
    const { status, body } = errorResponse(error);
    return c.json(body, status);
  });
  api.use("*", withAccess(createAccess(sql)), authenticated(createTokenAuthenticator(issuer.verify)));
  addBulkRoutes(
    api,
    {
      actors: createActors(sql, { requests: await requestSettings() }),
      lookups: createLookups(world.database.pool("customer_reader")),
      reader: createStoreReader(sql),
      closing,
      limits: await noLimits(),
      ...(streams && { streams }),
    },
    limits,
  );
  const server = serve(new Hono().route("/", api));
  const url = new URL(`http://127.0.0.1:${server.addr.port}/customers/bulk`);
  return {
    open: async (as, first, headers) =>
      await openCall(url, { authorization: await bearer(issuer, as), ...headers }, first),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/**
 * Sends an HTTP request over a raw connection, so that a test sees when each line arrives.
 *
 * @param first text that is sent before the response headers are read
 */
export async function openCall(url: URL, headers: Record<string, string>, first: string): Promise<BulkCall> {
  const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const writer = connection.writable.getWriter();
  const encoder = new TextEncoder();
  const head = { host: url.host, "content-type": "application/x-ndjson", ...headers };
  const lines = Object.entries({ ...head, "transfer-encoding": "chunked" }).map(([name, value]) =>
    `${name}: ${value}`
  );
  const send = (text: string) => {
    const bytes = encoder.encode(text);
    return writer.write(encoder.encode(`${bytes.length.toString(16)}\r\n${text}\r\n`));
  };
  await writer.write(encoder.encode([`POST ${url.pathname} HTTP/1.1`, ...lines, "", ""].join("\r\n")));
  await send(first);

  const input = createTextReader(connection.readable);
  const [statusLine = "", ...headerLines] = (await input.until("\r\n\r\n")).split("\r\n");
  const responseHeaders = new Headers(headerLines.map((line) => line.split(": ", 2) as [string, string]));
  const status = Number(statusLine.split(" ")[1]);
  let text = "";
  const next = async () => {
    if (status !== 200) throw new Error(`The response has the status ${status} and no lines`);
    for (let end = text.indexOf("\n"); end < 0; end = text.indexOf("\n")) {
      const size = parseInt(await input.until("\r\n"), 16);
      if (!size) return undefined;
      text += await input.take(size);
      await input.take(2);
    }
    const [line = ""] = text.split("\n", 1);
    text = text.slice(line.length + 1);
    return JSON.parse(line);
  };
  return {
    status,
    headers: responseHeaders,
    send,
    finish: () => writer.write(encoder.encode("0\r\n\r\n")),
    next,
    async rest() {
      const lines: Line[] = [];
      for (let line = await next(); line !== undefined; line = await next()) lines.push(line);
      return lines;
    },
    [Symbol.dispose]() {
      try {
        connection.close();
      } catch { /* the server has closed it */ }
    },
  };
}

/** Buffered reader of ASCII text from a connection. */
function createTextReader(readable: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const reader = readable.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  const more = async () => {
    const { done, value } = await reader.read();
    if (done) throw new Error("The server has closed the connection");
    buffer += value;
  };
  const take = async (length: number) => {
    while (buffer.length < length) await more();
    const text = buffer.slice(0, length);
    buffer = buffer.slice(length);
    return text;
  };
  return {
    take,
    async until(mark: string) {
      while (!buffer.includes(mark)) await more();
      const text = await take(buffer.indexOf(mark) + mark.length);
      return text.slice(0, -mark.length);
    },
  };
}

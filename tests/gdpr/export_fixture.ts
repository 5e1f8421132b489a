/** Fixture of requests with an export store, for tests that need no machine. */
import assert from "node:assert/strict";
import { createExportStore } from "../../actors/gdpr/exports/store.ts";
import { readChunks } from "../../actors/gdpr/exports/chunks.ts";
import { readStore } from "../../db/store_reader.ts";
import type { CollectedRecord, Delivery, ExportDescription, RequestKey } from "../../actors/gdpr/types.ts";
import type { Sql } from "../../db/connect.ts";
import { NO_SETTINGS } from "../../domain/store_settings.ts";
import { findDocuments, type PartRow } from "../../db/gdpr_exports.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { createWorld, register, type World } from "../actors/world.ts";

export const DAY_MS = 24 * 60 * 60_000;
export const NEVER = new AbortController().signal;

export interface ExportWorld extends AsyncDisposable {
  world: World;
  admin: Sql;
  sql: Sql;
  keys: { exportKey: CryptoKey; linkKey: CryptoKey };
  /** Current time of the export stores. */
  now: Date;
  clock: () => Date;
}

export async function createExportWorld(): Promise<ExportWorld> {
  const world = await createWorld();
  const exports: ExportWorld = {
    world,
    admin: world.admin,
    sql: world.database.pool("customer_api", 8),
    keys: await createExportKeys(),
    now: new Date("2026-03-31T10:00:00Z"),
    clock: () => exports.now,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
  return exports;
}

export async function createExportKeys(): Promise<ExportWorld["keys"]> {
  const aes = { name: "AES-GCM", length: 256 };
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  return {
    exportKey: await crypto.subtle.generateKey(aes, false, ["encrypt", "decrypt"]),
    linkKey: await crypto.subtle.generateKey(hmac, false, ["sign", "verify"]),
  };
}

/** Export store with small chunks, so that few records need many of them. */
export function exportStore(
  { sql, keys, clock }: ExportWorld,
  options: { sql?: Sql; chunkBytes?: number } = {},
) {
  return createExportStore(options.sql ?? sql, keys.exportKey, {
    clock,
    chunkBytes: options.chunkBytes ?? 1_000,
  });
}

export interface ExportRequest {
  key: RequestKey;
  customer: ActorRef;
  description: ExportDescription;
}

/** Inserts a request in progress, without a machine. */
export async function insertExportRequest(
  { admin, now, world }: ExportWorld,
  services: readonly string[] = ["customer-service", "order-service"],
  type: ExportDescription["type"] = "ACCESS",
): Promise<ExportRequest> {
  const customer = await register(world);
  const key = { storeId: customer.storeId, requestId: crypto.randomUUID() };
  const dueAt = new Date(now.getTime() + 30 * DAY_MS);
  await admin`
    insert into gdpr_requests
      (store_id, request_id, customer_id, type, status, created_at, received_at, channel, due_at, requested_by, machine, snapshot, version)
    values (${key.storeId}, ${key.requestId}, ${customer.id}, ${type}, 'IN_PROGRESS', ${now}, ${now}, 'ACCOUNT', ${dueAt},
      ${customer.id}, 'test@1', '{}', 1)`;
  const sources = services.map((service) => ({ service, waiverReason: undefined }));
  const description = {
    customerId: customer.id,
    type,
    receivedAt: now,
    locale: null,
    settings: NO_SETTINGS,
    sources,
  };
  return { key, customer, description };
}

/** Sets the row to the state after a cancellation. */
export async function cancelRequest({ admin, now }: ExportWorld, { key }: ExportRequest): Promise<void> {
  await admin`
    update gdpr_requests set status = 'COMPLETED', outcome = 'CANCELLED', completed_at = ${now}
    where request_id = ${key.requestId}`;
}

export function record(number: number, changes: Partial<CollectedRecord> = {}): CollectedRecord {
  return {
    category: "order",
    purpose: "to deliver what was bought",
    retention: "ten years",
    recipients: ["the carrier"],
    data: { number, article: `Kaffeemühle ${number}`, price: { amount: 4990, currency: "CHF" } },
    recordedAt: "2025-12-24T18:00:00Z",
    ...changes,
  };
}

export function deliveries(from: number, count: number): Delivery[] {
  return Array.from({ length: count }, (_, at) => ({ record: record(from + at), cursor: `c${from + at}` }));
}

/** Stores the same number of records for every participant. */
export async function collect(
  exports: ExportWorld,
  { key, description }: ExportRequest,
  count = 20,
): Promise<void> {
  const store = exportStore(exports);
  for (const { service } of description.sources) {
    await store.append(key, service, deliveries(0, count));
    await store.finish(key, service);
  }
}

export function partNames({ admin }: ExportWorld, { key }: ExportRequest): Promise<string[]> {
  return admin<{ part: string }[]>`
    select part from gdpr_export_parts where request_id = ${key.requestId} order by part`
    .then((rows) => rows.map(({ part }) => part));
}

export async function documentsOf({ sql }: ExportWorld, { key }: ExportRequest): Promise<PartRow[]> {
  return [...await readStore(sql, key.storeId, (sql) => findDocuments(sql, key))];
}

/** Text of a finished document, after a check of its size and digest. */
export async function documentText(
  exports: ExportWorld,
  request: ExportRequest,
  part: string,
): Promise<string> {
  const { sql, keys } = exports;
  const row = (await documentsOf(exports, request)).find((row) => row.part === part);
  assert.ok(row?.sha256, part);
  const gzip = ReadableStream.from(readChunks(sql, keys.exportKey, { ...request.key, part }));
  const bytes = await new Response(gzip.pipeThrough(new DecompressionStream("gzip"))).bytes();
  assert.equal(bytes.byteLength, row.bytes);
  assert.equal(await sha256(bytes), row.sha256.toHex());
  return new TextDecoder().decode(bytes);
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Pool that calls `before` in front of each transaction; `before` may throw or wait. */
export function interrupted(sql: Sql, before: () => unknown): Sql {
  return new Proxy(sql, {
    get(target, name, receiver) {
      if (name !== "begin") return Reflect.get(target, name, receiver);
      return async (...args: unknown[]) => {
        await before();
        return await target.begin(...args as Parameters<Sql["begin"]>);
      };
    },
  });
}

/** Pool that pauses before one of its transactions, counted from 1, until it is released. */
export function pausing(sql: Sql, step: number): { sql: Sql; reached: Promise<void>; release: () => void } {
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const paused = interrupted(sql, async () => {
    if (--step !== 0) return;
    reached.resolve();
    await released.promise;
  });
  return { sql: paused, reached: reached.promise, release: released.resolve };
}

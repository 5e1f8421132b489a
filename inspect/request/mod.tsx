/** `/inspect/requests/{requestId}`: page of one request, at present or after any past event, and its decisions. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import { mayReadValues } from "../../domain/authorization.ts";
import { DomainError } from "../../domain/errors.ts";
import type { ReceiptFile } from "../../actors/gdpr/receipts/file.ts";
import { createReceiptPage } from "../../actors/gdpr/receipts/page.ts";
import { DECISIONS } from "../../actors/gdpr/requests/available_decisions.ts";
import { parseInput, text, uuid } from "../../domain/input.ts";
import { findEvent, findStateChanges } from "../../db/actor_history.ts";
import { settingsOf } from "../../db/store_settings.ts";
import { missingStatements } from "../../domain/store_settings.ts";
import { findNotices } from "../../db/gdpr_notices.ts";
import { findRequestFingerprint } from "../../db/request_fingerprint.ts";
import { unknownLength } from "../../http/head.ts";
import { pacedDownload } from "../../http/pace.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { decideRequests, readRequests } from "../access.ts";
import { recordAccess } from "../accesses.ts";
import type { Pages } from "../options.ts";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";
import { submitDecision } from "./submit_decision.ts";
import type { Attempt } from "./actions.tsx";
import { DECISION_TEXTS } from "./decisions.ts";
import type { Export } from "./documents.tsx";
import { waiveNotice } from "./notices.tsx";
import { RequestPage } from "./page.tsx";
import { chartQuery } from "./time_travel.tsx";
import { readRequest, type RequestView, STATE_CHANGES } from "./read.ts";

const PATH = "/requests/:requestId";
const sequence = z.coerce.number().int().positive().max(2 ** 31 - 1).optional();
const Query = z.object({
  at: sequence,
  upto: sequence,
  change: sequence,
  chart: z.enum(["whole"]).optional(),
  decide: z.enum(DECISIONS).optional().catch(undefined),
  service: text(100).optional().catch(undefined),
});

export function addRequests(app: Hono<InspectEnv>, pages: Pages): void {
  const { reader, live } = pages;

  app.get(PATH, readRequests, async (c) => {
    const requestId = idOf(c);
    const { at, upto: upTo, change, chart, decide, service } = parseInput(
      Query,
      c.req.query(),
      "show the request",
    );
    if (change !== undefined) {
      return c.redirect(await changePath(c, pages, requestId, { change, chart }), 303);
    }
    const chosen = decide && { type: decide, ...(service !== undefined && { service }) };
    const view = { requestId, at, upTo, isWhole: chart === "whole", chosen };
    return c.html(await renderRequest(c, pages, view, await findDone(c, pages, requestId)));
  });

  app.post(PATH, decideRequests, async (c) => {
    const requestId = idOf(c);
    const result = await submitDecision(c, pages, requestId);
    if ("done" in result) {
      return c.redirect(inStore(c, `/inspect/requests/${requestId}?done=${result.done}`), 303);
    }
    const view = { requestId, at: undefined, upTo: undefined, isWhole: false };
    return c.html(await renderRequest(c, pages, view, result.attempt), result.status);
  });

  app.post(`${PATH}/notices/:noticeId`, decideRequests, async (c) => {
    const requestId = idOf(c);
    const { storeId } = c.var.by;
    const notices = await reader.read(storeId, (sql) => findNotices(sql, storeId, [requestId]));
    await waiveNotice(c, pages.actors, notices);
    return c.redirect(inStore(c, `/inspect/requests/${requestId}#notices`), 303);
  });

  app.get(`${PATH}/live`, readRequests, async (c) => {
    const requestId = idOf(c);
    const { storeId } = c.var.by;
    const fingerprint = () => reader.read(storeId, (sql) => findRequestFingerprint(sql, storeId, requestId));
    if (await fingerprint() === undefined) throw notFound({ requestId });
    return live.follow(c, async () => await fingerprint() ?? "");
  });

  app.get(`${PATH}/receipt`, readRequests, (c) => downloadReceipt(c, pages));
  app.get(`${PATH}/receipt/page`, readRequests, (c) => showReceipt(c, pages));
  app.get(`${PATH}/export/:part`, readRequests, (c) => downloadDocument(c, pages, c.req.param("part")));
}

/** Records the access and renders the page. `attempt` is the viewer's decision, which the page reports. */
async function renderRequest(c: InspectContext, pages: Pages, view: RequestView, attempt?: Attempt) {
  const { reader, charts, exportReceipt, findContact, requiresController } = pages;
  const { storeId } = c.var.by;
  const key = { storeId, requestId: view.requestId };
  const [reading, receipt, exported, settings] = await Promise.all([
    readRequest(reader, c.var.by, view, new Date()),
    exportReceipt(key),
    findExport(c, pages, view.requestId),
    reader.read(storeId, (tx) => settingsOf(tx, storeId)),
  ]);
  if (!reading) throw notFound(view);
  const { customerId, isGuest } = reading.row;
  const contact = isGuest && mayReadValues(c.var.by) ? await findContact({ storeId, customerId }) : undefined;
  const operation = contact ? "inspectRequestWithContact" : "inspectRequest";
  await recordRead(c, pages, operation, { requestId: view.requestId, customerId });
  const { machine } = reading.snapshot;
  const traced = { machine, name: reading.row.machine, journal: reading.summary };
  const chart = await charts.render({ ...traced, isFolded: !view.isWhole });
  const past = reading.moment && charts.describe(traced);
  const missing = { missing: missingStatements(settings), requiresController };
  return <RequestPage {...{ c, view, reading, contact, chart, past, receipt, exported, attempt, missing }} />;
}

async function findExport(
  { var: { by } }: InspectContext,
  { exportLink, downloads }: Pages,
  requestId: string,
): Promise<Export | undefined> {
  const link = await exportLink({ storeId: by.storeId, requestId });
  if (!link) return undefined;
  const { expiresAt, sha256 } = link;
  return { expiresAt, sha256, parts: await downloads.list(tokenOf(link), by) };
}

/** Reads the viewer's decision from the journal, since an address proves nothing. */
async function findDone(
  c: InspectContext,
  { reader }: Pages,
  requestId: string,
): Promise<Attempt | undefined> {
  const { data: done } = sequence.safeParse(c.req.query("done"));
  if (done === undefined) return undefined;
  const { storeId, id } = c.var.by;
  const key = { storeId, actorKind: "gdpr_request", actorId: requestId };
  const event = await reader.read(storeId, (sql) => findEvent(sql, key, done));
  const decision = event?.principalId === id && DECISIONS.find((decision) => decision === event.eventType);
  return decision ? { done: true, message: DECISION_TEXTS[decision].done } : undefined;
}

/** Path of the page after a change of state, by the number of the change. */
async function changePath(
  c: InspectContext,
  { reader }: Pages,
  requestId: string,
  { change, chart }: { change: number; chart: "whole" | undefined },
): Promise<string> {
  const { storeId } = c.var.by;
  const key = { storeId, actorKind: "gdpr_request", actorId: requestId };
  const changes = await reader.read(storeId, (sql) => findStateChanges(sql, key, STATE_CHANGES));
  const stateChange = changes[change - 1];
  if (!stateChange) throw notFound({ requestId, at: change });
  const at = change < changes.length ? stateChange.sequence : undefined;
  return inStore(c, `/inspect/requests/${requestId}${chartQuery({ at, isWhole: chart === "whole" })}`);
}

async function downloadReceipt(c: InspectContext, pages: Pages): Promise<Response> {
  const requestId = idOf(c);
  const receipt = await readReceipt(c, pages, requestId);
  c.header("content-disposition", `attachment; filename="receipt-${requestId}.json"`);
  return c.json(receipt);
}

async function showReceipt(c: InspectContext, pages: Pages): Promise<Response> {
  const { storeId } = c.var.by;
  const receipt = await readReceipt(c, pages, idOf(c));
  const settings = await pages.reader.read(storeId, (sql) => settingsOf(sql, storeId));
  const { html, contentSecurityPolicy } = await createReceiptPage(receipt, {
    settings: { ...settings, languages: null }, // as the inspector
    locale: "en",
  });
  c.header("content-security-policy", contentSecurityPolicy);
  return c.html(html);
}

/**
 * Reads the receipt and records the access.
 *
 * @throws {DomainError} NOT_FOUND
 */
async function readReceipt(c: InspectContext, pages: Pages, requestId: string): Promise<ReceiptFile> {
  const receipt = await pages.exportReceipt({ storeId: c.var.by.storeId, requestId });
  if (!receipt) throw new DomainError("NOT_FOUND", `Cannot find a receipt of request ${requestId}`);
  await recordRead(c, pages, "inspectReceipt", { requestId });
  return receipt;
}

async function downloadDocument(
  c: InspectContext,
  { exportLink, downloads }: Pages,
  part: string,
): Promise<Response> {
  const requestId = idOf(c);
  const { by } = c.var;
  const link = await exportLink({ storeId: by.storeId, requestId });
  if (!link) throw new DomainError("NOT_FOUND", `Cannot find an export of request ${requestId}`);
  const token = tokenOf(link);
  // HEAD must not use up the customer's download.
  const isHead = c.req.method === "HEAD";
  const document = isHead
    ? { ...await downloads.describe(token, part, by), gzip: undefined }
    : await downloads.fetch(token, part, by, traceparentOf(c));
  c.header("content-type", document.mediaType);
  c.header("content-disposition", `attachment; filename="${document.part}"`);
  if (!document.gzip) return c.body(unknownLength());
  return c.body(pacedDownload(document.gzip).pipeThrough(new DecompressionStream("gzip")));
}

async function recordRead(
  c: InspectContext,
  { audit }: Pages,
  operation: string,
  { requestId, customerId }: { requestId: string; customerId?: string },
): Promise<void> {
  await recordAccess(c, audit, {
    action: "GDPR_REQUEST_READ",
    operation,
    target: { type: "gdpr_request", id: requestId },
    customerId,
    rows: 1,
  });
}

function idOf(c: InspectContext): string {
  const { success, data } = uuid.safeParse(c.req.param("requestId"));
  if (!success) throw new DomainError("NOT_FOUND", "Cannot find the request: the ID is not a UUID");
  return data;
}

function tokenOf({ url }: { url: string }): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

function notFound({ requestId, at }: { requestId: string; at?: number | undefined }): DomainError {
  const what = at === undefined ? `request ${requestId}` : `event ${at} of request ${requestId}`;
  return new DomainError("NOT_FOUND", `Cannot find ${what}`);
}

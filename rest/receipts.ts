/**
 * `/receipts/{token}`: the receipt of an erasure, for each holder of the link, without a token. A browser gets it as a page,
 * which contains the file.
 */
import { accepts } from "@hono/hono/accepts";
import type { Context } from "@hono/hono";
import { Hono } from "@hono/hono";
import { readReceiptLink } from "../actors/gdpr/receipts/link.ts";
import type { ReceiptFile } from "../actors/gdpr/receipts/file.ts";
import { createReceiptPage } from "../actors/gdpr/receipts/page.ts";
import { exportReceipt } from "../actors/gdpr/receipts/receipt.ts";
import { findRequest } from "../db/gdpr_requests.ts";
import { settingsOf } from "../db/store_settings.ts";
import type { StoreReader } from "../db/store_reader.ts";
import { DomainError } from "../domain/errors.ts";
import { canonicalLocale } from "../domain/input.ts";
import { LANGUAGES, type StoreSettings } from "../domain/store_settings.ts";
import type { ApiEnv } from "./api.ts";
import { downloadHeaders } from "./download_headers.ts";
import { clientClosedRequest, respondWithError } from "./errors.ts";
import { type Limits, limitUnauthenticated } from "./limits.ts";

export interface ReceiptRouteOptions {
  reader: StoreReader;
  /** Keys that sign the links: the current one, followed by earlier ones. */
  receiptLinkKeys: readonly CryptoKey[];
  limits: Limits;
}

/** Creates an app to mount at `/receipts`. Each request counts against the address of its client. */
export function createReceipts({ reader, receiptLinkKeys, limits }: ReceiptRouteOptions): Hono<ApiEnv> {
  return new Hono<ApiEnv>()
    .use(downloadHeaders)
    .get("/:token", async (c) => {
      await limitUnauthenticated(c, limits);
      const key = await readReceiptLink(receiptLinkKeys, c.req.param("token"));
      if (!key) throw new DomainError("NOT_FOUND", "Cannot find this receipt");
      const { storeId, requestId } = key;
      const receipt = await exportReceipt(reader, key);
      if (!receipt) {
        const request = await reader.read(storeId, (sql) => findRequest(sql, storeId, requestId));
        const reason = request?.status === "COMPLETED" ? "it has none" : "it is not complete";
        throw new DomainError("NOT_FOUND", `Cannot find the receipt of erasure ${requestId}: ${reason}`);
      }
      const type = accepts(c, {
        header: "Accept",
        supports: ["application/json", "text/html"],
        default: "application/json",
      });
      c.header("vary", "accept, accept-language");
      if (type === "text/html") return await respondWithPage(c, reader, receipt, storeId);
      return c.body(`${JSON.stringify(receipt, null, 2)}\n`, 200, {
        "content-type": "application/json",
        "content-disposition": `attachment; filename="erasure-receipt-${requestId}.json"`,
      });
    })
    .onError((error, c) => c.req.raw.signal.aborted ? clientClosedRequest() : respondWithError(c, error));
}

async function respondWithPage(
  c: Context,
  reader: StoreReader,
  receipt: ReceiptFile,
  storeId: string,
): Promise<Response> {
  const settings = await reader.read(storeId, (sql) => settingsOf(sql, storeId));
  const { html, contentSecurityPolicy } = await createReceiptPage(receipt, {
    settings,
    locale: preferredLocale(c, settings),
  });
  c.header("content-security-policy", contentSecurityPolicy);
  return c.html(html);
}

/** The most wanted locale of the header in whose language the store writes, in the form of BCP 47; null for none. */
function preferredLocale(c: Context, { languages }: StoreSettings): string | null {
  const locale = accepts(c, {
    header: "Accept-Language",
    supports: [...languages ?? LANGUAGES],
    default: "",
    match: (tags, { supports }) => {
      const wanted = tags.filter(({ q }) => q > 0).toSorted((one, other) => other.q - one.q);
      const locales = wanted.flatMap(({ type }) => canonicalLocale(type) ?? []);
      return locales.find((locale) => supports.includes(locale.split("-")[0]!)) ?? "";
    },
  });
  return locale || null;
}

/** `/receipts/{token}`: the receipt of an erasure, for each holder of the link, without a token. */
import { Hono } from "@hono/hono";
import { readReceiptLink } from "../actors/gdpr/receipts/link.ts";
import { exportReceipt } from "../actors/gdpr/receipts/receipt.ts";
import { findRequest } from "../db/gdpr_requests.ts";
import type { StoreReader } from "../db/store_reader.ts";
import { DomainError } from "../domain/errors.ts";
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
      return c.body(`${JSON.stringify(receipt, null, 2)}\n`, 200, {
        "content-type": "application/json",
        "content-disposition": `attachment; filename="erasure-receipt-${requestId}.json"`,
      });
    })
    .onError((error, c) => c.req.raw.signal.aborted ? clientClosedRequest() : respondWithError(c, error));
}

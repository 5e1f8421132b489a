/** Results of a GDPR request: the link to an export's documents, and the receipt of an erasure. */
import { DomainError } from "../../domain/errors.ts";
import { exportReceipt } from "../../actors/gdpr/receipts/receipt.ts";
import { ReceiptFileSchema } from "../../actors/gdpr/receipts/file.ts";
import { allow } from "../access.ts";
import { type Api, createRoute, json, refusals, z } from "../api.ts";
import type { RestOptions } from "../options.ts";
import { requestPath, tags } from "./requests.ts";

const ExportLinkSchema = z.object({
  url: z.string().meta({ description: "Relative to the service's address. It returns each document once" }),
  expiresAt: z.iso.datetime(),
  sha256: z.string().meta({
    description: "Of manifest.json, which contains the hashes of the other documents; hexadecimal",
  }),
}).meta({ id: "ExportLink" });

const getGdprRequestExport = createRoute({
  operationId: "getGdprRequestExport",
  method: "get",
  path: "/gdpr-requests/{requestId}/export",
  summary: "Returns a link to the documents of a completed access or portability request",
  description:
    "The subject and staff who handle GDPR requests may open the link. It returns each document once: to download a " +
    "document again, request a new link.",
  tags,
  middleware: allow("getGdprRequestExport"),
  request: { params: requestPath },
  responses: { 200: json("The link", ExportLinkSchema), ...refusals("NOT_FOUND") },
});

const getGdprRequestReceipt = createRoute({
  operationId: "getGdprRequestReceipt",
  method: "get",
  path: "/gdpr-requests/{requestId}/receipt",
  summary: "Returns the signed receipt of a completed erasure",
  description: "A file for `deno task receipt verify`, which works without access to the service.",
  tags,
  middleware: allow("getGdprRequestReceipt"),
  request: { params: requestPath },
  responses: {
    200: json("The receipt", ReceiptFileSchema.meta({ id: "ErasureReceipt" })),
    ...refusals("NOT_FOUND"),
  },
});

export function addDocumentRoutes(api: Api, { reader, exportLink }: RestOptions): void {
  api.openapi(getGdprRequestExport, async (c) => {
    const { requestId } = c.req.valid("param");
    const link = await exportLink({ storeId: c.var.by.storeId, requestId });
    if (!link) throw new DomainError("NOT_FOUND", `Cannot find an export of request ${requestId}`);
    const { url, expiresAt, sha256 } = link;
    return c.json({ url, expiresAt: expiresAt.toISOString(), sha256 }, 200);
  });

  api.openapi(getGdprRequestReceipt, async (c) => {
    const { requestId } = c.req.valid("param");
    const receipt = await exportReceipt(reader, { storeId: c.var.by.storeId, requestId });
    if (!receipt) throw new DomainError("NOT_FOUND", `Cannot find a receipt of request ${requestId}`);
    return c.json(receipt, 200);
  });
}

/** Documents of a request: the receipt of an erasure, the documents of an export. */
import type { ExportPart } from "../../actors/gdpr/exports/downloads.ts";
import type { ReceiptFile } from "../../actors/gdpr/receipts/file.ts";
import type { GdprRequestRow } from "../../db/gdpr_requests.ts";
import { Instant } from "../page.tsx";
import type { HrefTo } from "./time_travel.tsx";

/** Documents of an export. */
export interface Export {
  expiresAt: Date;
  /** SHA-256 of the manifest in hexadecimal digits. */
  sha256: string;
  parts: readonly ExportPart[];
}

export interface DocumentsProps {
  hrefTo: HrefTo;
  row: GdprRequestRow;
  receipt: ReceiptFile | undefined;
  exported: Export | undefined;
  /** Whether the viewer may read personal values, which the documents contain. */
  mayDownload: boolean;
}

export function Documents({ hrefTo, row, receipt, exported, mayDownload }: DocumentsProps) {
  return (
    <>
      <h2 id="documents">Documents</h2>
      {receipt && <Receipt hrefTo={hrefTo} receipt={receipt} />}
      {exported && (
        <Exported hrefTo={hrefTo} isGuest={row.isGuest} exported={exported} mayDownload={mayDownload} />
      )}
      {!receipt && !exported && <p class="empty">{describeNoDocuments(row)}</p>}
    </>
  );
}

function Receipt({ hrefTo, receipt: { sequence, hash, keyId } }: { hrefTo: HrefTo; receipt: ReceiptFile }) {
  return (
    <>
      <p>
        <a href={hrefTo("/receipt/page")}>Show the receipt of the erasure</a>, to read and to print, or{" "}
        <a href={hrefTo("/receipt")} download>download the signed file</a>
      </p>
      <dl class="facts">
        <div>
          <dt>Number in the store's chain</dt>
          <dd>{sequence}</dd>
        </div>
        <div>
          <dt>SHA-256</dt>
          <dd>
            <code>{hash}</code>
          </dd>
        </div>
        <div>
          <dt>Key ID</dt>
          <dd>
            <code>{keyId}</code>
          </dd>
        </div>
      </dl>
    </>
  );
}

function Exported(
  { hrefTo, isGuest, exported: { expiresAt, sha256, parts }, mayDownload }:
    & Pick<DocumentsProps, "hrefTo" | "mayDownload">
    & { isGuest: boolean; exported: Export },
) {
  return (
    <>
      <p>
        The documents contain the person's data and expire on <Instant at={expiresAt} />. {isGuest
          ? "The person has no account to download them from: hand them over, and record that."
          : "The customer downloads them in the storefront, each once per link. Downloading one here invalidates older links to it, and does not count as the customer's download."}
      </p>
      <p>
        {mayDownload
          ? "Each download by staff is recorded in the journal of the request."
          : "Your role does not show personal values, so you cannot download them here."}
      </p>
      <ul class="documents">
        {parts.map(({ part, bytes }) => (
          <li>
            {mayDownload ? <a href={hrefTo(`/export/${part}`)} download>{part}</a> : part}{" "}
            ({bytes.toLocaleString("en")} bytes)
          </li>
        ))}
      </ul>
      <dl class="facts">
        <div>
          <dt>SHA-256 of manifest.json</dt>
          <dd>
            <code>{sha256}</code>
          </dd>
        </div>
      </dl>
    </>
  );
}

function describeNoDocuments({ type, status, outcome }: GdprRequestRow): string {
  if (type === "RECTIFICATION") return "A rectification has no documents.";
  const [what, none] = type === "ERASURE"
    ? ["receipt", "There is no receipt"]
    : ["documents", "There are no documents"];
  if (status !== "COMPLETED") return `The ${what} will appear here when the request is fulfilled.`;
  if (outcome === "CANCELLED" || outcome === "REFUSED" || outcome === "NOT_IDENTIFIED") {
    return `${none}: the request was not fulfilled.`;
  }
  return type === "ERASURE" ? `${none}.` : "The documents have expired or were deleted by an erasure.";
}

/** What a request leaves behind: the receipt of an erasure, the documents of an export. */
import type { ExportPart } from "../../actors/gdpr/exports/downloads.ts";
import type { ReceiptFile } from "../../actors/gdpr/receipts/file.ts";
import type { GdprRequestRow } from "../../db/gdpr_requests.ts";
import { Instant } from "../page.tsx";
import type { To } from "./travel.tsx";

/** The documents of an export. */
export interface Export {
  expiresAt: Date;
  /** Of the manifest, in hexadecimal digits. */
  sha256: string;
  parts: readonly ExportPart[];
}

export interface DocumentsProps {
  to: To;
  row: GdprRequestRow;
  receipt: ReceiptFile | undefined;
  exported: Export | undefined;
  /** Whether the viewer may read personal values, which the documents contain. */
  mayDownload: boolean;
}

export function Documents({ to, row, receipt, exported, mayDownload }: DocumentsProps) {
  return (
    <>
      <h2 id="documents">Documents</h2>
      {receipt && <Receipt to={to} receipt={receipt} />}
      {exported && <Exported to={to} exported={exported} mayDownload={mayDownload} />}
      {!receipt && !exported && <p class="empty">{whyNone(row)}</p>}
    </>
  );
}

function Receipt({ to, receipt: { sequence, hash, keyId } }: { to: To; receipt: ReceiptFile }) {
  return (
    <>
      <p>
        <a href={to("/receipt")} download>Download the signed receipt of the erasure</a>
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
          <dt>Signed with the key</dt>
          <dd>
            <code>{keyId}</code>
          </dd>
        </div>
      </dl>
    </>
  );
}

function Exported(
  { to, exported: { expiresAt, sha256, parts }, mayDownload }:
    & Pick<DocumentsProps, "to" | "mayDownload">
    & { exported: Export },
) {
  return (
    <>
      <p>
        The documents hold the customer's personal data, until{" "}
        <Instant at={expiresAt} />. The customer fetches them in the storefront, each once by a link; fetching
        one here ends what older links give of it.
      </p>
      <p>
        {mayDownload
          ? "Each download by staff is recorded in the journal of the request."
          : "Your role does not show personal values, so you cannot download them here."}
      </p>
      <ul class="documents">
        {parts.map(({ part, bytes }) => (
          <li>
            {mayDownload ? <a href={to(`/export/${part}`)} download>{part}</a> : part}{" "}
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

function whyNone({ type, status, outcome }: GdprRequestRow): string {
  if (type === "RECTIFICATION") return "A rectification leaves no document.";
  const [what, none] = type === "ERASURE"
    ? ["receipt", "There is no receipt"]
    : ["documents", "There are none"];
  if (status !== "COMPLETED") return `The ${what} will be here once the request is fulfilled.`;
  if (outcome !== "FULFILLED") return `${none}: the request was not fulfilled.`;
  return type === "ERASURE" ? `${none}.` : "The documents have expired, or an erasure has destroyed them.";
}

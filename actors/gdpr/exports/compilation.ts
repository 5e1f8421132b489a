/** Makes the documents of an export out of what its sources have delivered. */
import { findPart, sourcePart } from "../../../db/gdpr_exports.ts";
import { accessHtml } from "./documents/access_html.ts";
import { accessJson } from "./documents/access_json.ts";
import { type Contents, type Source, survey, type Text } from "./documents/contents.ts";
import { type ManifestEntry, manifestJson } from "./documents/manifest.ts";
import { portability } from "./documents/portability.ts";
import { type Claim, openClaim, type Workshop } from "./claim.ts";
import { readStore } from "../../../db/store_reader.ts";
import { readChunks } from "./chunks.ts";
import type { CollectedRecord, ExportDescription, RequestKey } from "../vocabulary.ts";

interface Document {
  part: string;
  mediaType: string;
  write: (contents: Contents) => Text;
}

const JSON_TYPE = "application/json";
const MANIFEST = { part: "manifest.json", mediaType: JSON_TYPE };

const DOCUMENTS: Record<ExportDescription["type"], readonly Document[]> = {
  ACCESS: [
    { part: "access.html", mediaType: "text/html; charset=utf-8", write: accessHtml },
    { part: "access.json", mediaType: JSON_TYPE, write: accessJson },
  ],
  PORTABILITY: [{ part: "portability.json", mediaType: JSON_TYPE, write: portability }],
};

/** @throws {DomainError} REFUSED_IN_STATE: the request has ended. UNAVAILABLE: another replica is at it */
export async function compileExport(
  workshop: Workshop,
  key: RequestKey,
  description: ExportDescription,
  signal: AbortSignal,
): Promise<void> {
  const documents = DOCUMENTS[description.type];
  const claim = await openClaim(workshop, key, [...documents, MANIFEST], signal);
  if (!claim) return;
  try {
    const contents: Contents = {
      request: key,
      description,
      compiledAt: workshop.clock(),
      sources: await readSources(workshop, key, description, claim),
    };
    const parts: ManifestEntry[] = [];
    for (const { part, mediaType, write } of documents) {
      const { bytes, sha256 } = await claim.write(part, write(contents));
      parts.push({ name: part, mediaType, bytes, sha256: sha256.toHex() });
    }
    const { requestId } = key;
    await claim.write(MANIFEST.part, manifestJson({ requestId, compiledAt: contents.compiledAt, parts }));
    await claim.publish();
  } catch (error) {
    await claim.drop().catch(() => {}); // it runs out by itself
    throw error;
  }
}

async function readSources(
  { sql, cipher }: Workshop,
  key: RequestKey,
  { sources }: ExportDescription,
  claim: Claim,
): Promise<Source[]> {
  const surveyed: Source[] = [];
  for (const { service, waiverReason } of sources) {
    const part = sourcePart(service);
    const row = await readStore(sql, key.storeId, (sql) => findPart(sql, key, part));
    const complete = row?.complete ?? false;
    if (!complete && waiverReason === undefined) {
      throw new Error(`Cannot compile ${key.requestId}: ${service} has not told everything`);
    }
    const read = async function* (): AsyncGenerator<CollectedRecord[]> {
      for await (const chunk of readChunks(sql, cipher, { ...key, part }, !complete)) {
        await claim.keep();
        if (chunk.byteLength > 0) yield parse(chunk);
      }
    };
    const source = await survey(service, complete ? undefined : waiverReason, read);
    if (source.records !== (row?.records ?? 0)) {
      throw new Error(`Cannot compile ${key.requestId}: records of ${service} are missing`);
    }
    surveyed.push(source);
  }
  return surveyed;
}

function parse(lines: Uint8Array): CollectedRecord[] {
  const text = new TextDecoder().decode(lines);
  return text.trimEnd().split("\n").map((line) => {
    const record: CollectedRecord = JSON.parse(line);
    return { ...record, recordedAt: record.recordedAt };
  });
}

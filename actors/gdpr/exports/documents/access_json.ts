/** JSON document of an access request, with the same contents as the page. */
import { type Contents, summaryOf, type Text } from "./contents.ts";
import { writeJson } from "./json.ts";
import { AUTOMATED_DECISIONS, FURTHER_RIGHTS, INTRODUCTION, ORIGIN, TITLE } from "./access_texts.ts";

export function accessJson({ request, description, compiledAt, sources }: Contents): Text {
  const about = {
    title: TITLE,
    text: INTRODUCTION,
    answeredBy: "customer-service, for the store",
    storeId: request.storeId,
    customerId: description.customerId,
    requestId: request.requestId,
    askedAt: description.createdAt,
    compiledAt,
    origin: ORIGIN,
    automatedDecisions: AUTOMATED_DECISIONS,
    rights: Object.fromEntries(FURTHER_RIGHTS.map(({ name, text }) => [name, text])),
  };
  return writeJson({ about }, sources, (source) => ({
    service: source.service,
    summary: summaryOf(source),
    complete: source.waiverReason === undefined,
    waiverReason: source.waiverReason,
    recordCount: source.records,
    processing: source.processing,
    furtherProcessing: source.furtherProcessing || undefined,
  }));
}

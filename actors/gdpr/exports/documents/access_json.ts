/** The answer to an access request as a structured document, for a person with some patience. */
import { account, type Contents, type Text } from "./contents.ts";
import { writeJson } from "./json.ts";
import { AUTOMATED_DECISIONS, INTRODUCTION, ORIGIN, RIGHTS, TITLE } from "./words.ts";

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
    rights: Object.fromEntries(RIGHTS.map(({ name, text }) => [name, text])),
  };
  return writeJson({ about }, sources, (source) => ({
    service: source.service,
    summary: account(source),
    complete: source.waiverReason === undefined,
    waiverReason: source.waiverReason,
    recordCount: source.records,
    processing: source.processing,
    furtherProcessing: source.furtherProcessing || undefined,
  }));
}

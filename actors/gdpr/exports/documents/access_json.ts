/** JSON document of an access request, with the same contents as the page. */
import { type Contents, summaryOf, type Text } from "./contents.ts";
import { writeJson } from "./json.ts";
import { FURTHER_RIGHTS, INTRODUCTION, ORIGIN, TITLE } from "./access_texts.ts";

export function accessJson({ request, description, compiledAt, sections }: Contents): Text {
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
    rights: Object.fromEntries(FURTHER_RIGHTS.map(({ name, text }) => [name, text])),
  };
  return writeJson({ about }, sections, (section) => ({
    service: section.service,
    summary: summaryOf(section),
    complete: section.complete,
    waiverReason: section.waiverReason,
    recordCount: section.records,
    processing: section.processing,
    furtherProcessing: section.furtherProcessing || undefined,
  }));
}

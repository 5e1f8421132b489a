/** JSON document of an access request, with the same contents as the page. Fields keep their names. */
import { transfersOf } from "../../texts/transfers.ts";
import { type Contents, summaryOf, type Text } from "./contents.ts";
import { writeJson } from "./json.ts";
import { rightsOf } from "./access_texts.ts";

export function accessJson({ request, description, compiledAt, presentation, sections }: Contents): Text {
  const { texts, settings } = presentation;
  const about = {
    language: texts.language,
    title: texts.access.title,
    text: texts.access.introduction,
    storeId: request.storeId,
    store: settings.name ?? undefined,
    controller: settings.controller ?? undefined,
    dataProtectionContact: settings.dataProtectionContact ?? undefined,
    supervisoryAuthority: settings.supervisoryAuthority ?? undefined,
    customerId: description.customerId,
    requestId: request.requestId,
    askedAt: description.receivedAt,
    compiledAt,
    thirdCountries: transfersOf(presentation, texts.noThirdCountries),
    automatedDecisions: settings.automatedDecisions ?? undefined,
    rights: Object.fromEntries(rightsOf(presentation).map(({ id, name, text }) => [id, { name, text }])),
  };
  return writeJson({ about }, sections, (section) => ({
    service: section.service,
    summary: summaryOf(section, presentation),
    complete: section.complete,
    waiverReason: section.waiverReason,
    recordCount: section.records,
    processing: section.processing,
    furtherProcessing: section.furtherProcessing || undefined,
  }));
}

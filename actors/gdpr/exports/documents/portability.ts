/** The portability download: docs/portability.schema.json describes it. */
import type { Contents, Text } from "./contents.ts";
import { writeJson } from "./json.ts";

/** The schema's id. */
const FORMAT = "urn:shopstar:customer:portability:1";

export function portability({ request, description, compiledAt, sources }: Contents): Text {
  const head = {
    format: FORMAT,
    requestId: request.requestId,
    requestedAt: description.createdAt,
    compiledAt,
    subject: { storeId: request.storeId, customerId: description.customerId },
  };
  return writeJson(head, sources, ({ service, waiverReason }) => ({
    service,
    complete: waiverReason === undefined,
    waiverReason,
  }));
}

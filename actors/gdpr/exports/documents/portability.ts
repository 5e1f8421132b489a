/** JSON document of a portability request; docs/portability.schema.json is its schema. */
import type { Contents, Text } from "./contents.ts";
import { writeJson } from "./json.ts";

/** The schema's ID. */
const FORMAT = "urn:shopstar:customer:portability:1";

export function portability({ request, description, compiledAt, sections }: Contents): Text {
  const head = {
    format: FORMAT,
    requestId: request.requestId,
    requestedAt: description.receivedAt,
    compiledAt,
    subject: { storeId: request.storeId, customerId: description.customerId },
  };
  return writeJson(head, sections, ({ service, complete, waiverReason }) => ({
    service,
    complete,
    waiverReason,
  }));
}

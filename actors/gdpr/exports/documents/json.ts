/** Streaming JSON writer: serializes records one by one, so that memory does not grow with the document. */
import type { ParticipantSection, Text } from "./contents.ts";
import type { PresentedRecord } from "./presentation.ts";

/**
 * Writes an object with the fields of `head` and `sources`. Each element of `sources` is an object with the fields
 * of `headOf` and `records`. Neither head may be empty.
 */
export async function* writeJson(
  head: object,
  sections: readonly ParticipantSection[],
  headOf: (section: ParticipantSection) => object,
): Text {
  yield `${openObject(head, "")},\n  "sources": [`;
  for (const [index, section] of sections.entries()) {
    yield `${index === 0 ? "" : ","}\n    ${openObject(headOf(section), "    ")},\n      "records": [`;
    let first = true;
    for await (const batch of section.read()) {
      yield batch.map((record) => {
        const separator = first ? "" : ",";
        first = false;
        return `${separator}\n        ${print(fields(record), "        ")}`;
      }).join("");
    }
    yield first ? "]\n    }" : "\n      ]\n    }";
  }
  yield "\n  ]\n}\n";
}

/** The fields of a record, in the order of the document. */
function fields(record: PresentedRecord): object {
  const { category, recordedAt, purpose, legalBasis, retention, recipients, data } = record;
  return { category, recordedAt, purpose, legalBasis, retention, recipients, data };
}

/** Serializes an object without its closing brace. */
function openObject(value: object, indent: string): string {
  return print(value, indent).slice(0, -`\n${indent}}`.length);
}

function print(value: object, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`);
}

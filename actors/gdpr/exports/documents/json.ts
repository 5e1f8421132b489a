/** Writes a JSON document with the records of its sources one by one, so that it never stands in memory whole. */
import type { CollectedRecord } from "../../vocabulary.ts";
import type { Source, Text } from "./contents.ts";

/**
 * An object with the fields of `head`, and then `sources`: each an object with the fields of `headOf`, and then
 * `records`. No head may be empty.
 */
export async function* writeJson(
  head: object,
  sources: readonly Source[],
  headOf: (source: Source) => object,
): Text {
  yield `${opened(head, "")},\n  "sources": [`;
  for (const [index, source] of sources.entries()) {
    yield `${index === 0 ? "" : ","}\n    ${opened(headOf(source), "    ")},\n      "records": [`;
    let first = true;
    for await (const batch of source.read()) {
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

/** In the order in which a person reads them. */
function fields({ category, recordedAt, purpose, retention, recipients, data }: CollectedRecord): object {
  return { category, recordedAt, purpose, retention, recipients, data };
}

/** An object that is left open behind its last field. */
function opened(value: object, indent: string): string {
  return print(value, indent).slice(0, -`\n${indent}}`.length);
}

function print(value: object, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${indent}`);
}

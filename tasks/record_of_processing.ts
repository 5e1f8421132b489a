// deno-lint-ignore-file no-console -- a task prints its result
/** `deno task record-of-processing`: prints the record of processing activities of a store as Markdown. */
import { parseArgs } from "node:util";
import { createProcessingRecord, type ProcessingRecord } from "../actors/gdpr/record_of_processing.ts";
import { ConfigError, readConfig, servicesOf } from "../config/mod.ts";
import { openPool } from "../db/connect.ts";
import { readStore } from "../db/store_reader.ts";
import { settingsOf } from "../db/store_settings.ts";
import { uuid } from "../domain/input.ts";
import { LANGUAGES } from "../domain/store_settings.ts";
import { describeError } from "../lib/error_description.ts";
import { readEnvironment } from "./environment.ts";

const HELP = `Prints the record of processing activities (Article 30 GDPR) of a store as Markdown.

  deno task record-of-processing --store ID [--language en|de|fr|it]

The record is generated from the map of personal data, the configuration and the settings of the store. Without
--language it is in the first language of the settings, or in English. It needs DATABASE_URL and the other variables of
the service; the login must be a member of customer_api. Exit code 1: the settings could not be read; a message names
the reason.`;

class UsageError extends Error {}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const { storeId, language } = readOptions(args);
  const config = readConfig(await readEnvironment());
  if (config.databaseUrl === undefined) {
    throw new UsageError("Cannot read the settings of a store: DATABASE_URL is missing");
  }
  const sql = openPool(config.databaseUrl, "customer_api", 1);
  try {
    const settings = await readStore(sql, storeId, (sql) => settingsOf(sql, storeId));
    const source = {
      storeId,
      settings,
      participants: config.gdpr.participants,
      services: servicesOf(config),
    };
    console.log(toMarkdown(createProcessingRecord(source, language ?? settings.languages?.[0] ?? "en")));
    return 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function readOptions(args: string[]) {
  try {
    const options = { store: { type: "string" }, language: { type: "string" } } as const;
    const { values } = parseArgs({ args, options });
    const storeId = uuid.safeParse(values.store).data;
    const language = LANGUAGES.find((language) => language === values.language);
    if (storeId && (language || values.language === undefined)) return { storeId, language };
  } catch { /* reported below */ }
  throw new UsageError(
    `Cannot print the record: expected --store with the ID of a store and optionally --language ${
      LANGUAGES.join("|")
    }; see --help`,
  );
}

export function toMarkdown(record: ProcessingRecord): string {
  const { texts: { facts: names, record: words }, facts, activities, participants, transfers, missing } =
    record;
  const list = (items: readonly string[]) => items.map((item) => `- ${escape(item)}`);
  const section = (title: string, lines: readonly string[]) => ["", `## ${escape(title)}`, "", ...lines];
  return [
    `# ${escape(words.title)}`,
    "",
    escape(words.introduction),
    "",
    ...facts.map(([name, text]) => `- **${escape(name)}**: ${escape(text)}`),
    ...section(
      words.activities,
      activities.flatMap((activity) => [
        `### ${escape(activity.purpose)}`,
        "",
        `- **${escape(names.legalBasis)}**: ${escape(activity.legalBasis)}`,
        ...activity.data.map(({ category, fields }) =>
          `- **${escape(words.data)}**: ${escape(category)}: ${escape(fields.join(", "))}`
        ),
        `- **${escape(names.retention)}**: ${escape(activity.retention.join("; "))}`,
        `- **${escape(names.recipients)}**: ${escape(activity.recipients.join(", "))}`,
        "",
      ]).slice(0, -1),
    ),
    ...(transfers ? section(names.thirdCountries, list(transfers)) : []),
    ...(participants.length > 0
      ? section(words.participants, [escape(words.participantsNote), "", ...list(participants)])
      : []),
    ...section(words.security, list(words.securityMeasures)),
    ...(missing.length > 0 ? section(words.missing, list(missing)) : []),
  ].join("\n");
}

/** Escapes the characters that Markdown and HTML in Markdown give a meaning. */
function escape(text: string): string {
  return text.replace(/[\\`*_[\]<>#|&]/g, "\\$&");
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args).catch((error) => {
    const isExpected = error instanceof UsageError || error instanceof ConfigError;
    console.error(isExpected ? error.message : `Cannot print the record: ${describeError(error)}`);
    return 1;
  });
}

/** `/inspect/record-of-processing`: the record of processing activities of the store. */
import type { Hono } from "@hono/hono";
import { z } from "zod";
import {
  type Activity,
  createProcessingRecord,
  type ProcessingRecord,
} from "../../actors/gdpr/record_of_processing.ts";
import { TEXTS } from "../../actors/gdpr/texts/mod.ts";
import { settingsOf } from "../../db/store_settings.ts";
import { parseInput } from "../../domain/input.ts";
import { type Language, LANGUAGES } from "../../domain/store_settings.ts";
import { allow } from "../access.ts";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import { type InspectContext, type InspectEnv, inStore } from "../session.ts";

const PATH = "/record-of-processing";
const Query = z.object({ language: z.enum(LANGUAGES).default("en") });

export function addRecord(
  app: Hono<InspectEnv>,
  { reader, participants, services }: Pages,
): void {
  app.get(PATH, allow("read the record of processing", "READ_STORE_SETTINGS"), async (c) => {
    const { language } = parseInput(Query, c.req.query(), "show the record of processing");
    const { storeId } = c.var.by;
    const settings = await reader.read(storeId, (sql) => settingsOf(sql, storeId));
    const record = createProcessingRecord({ storeId, settings, participants, services }, language);
    return c.html(<RecordPage c={c} record={record} />);
  });
}

function RecordPage({ c, record }: { c: InspectContext; record: ProcessingRecord }) {
  const { texts, facts, activities, participants, transfers, missing } = record;
  const words = texts.record;
  return (
    <Page c={c} title="Record of processing">
      <p>
        <Languages c={c} current={texts.language} />
      </p>
      <div lang={texts.language}>
        <p>{words.introduction}</p>
        {missing.length > 0 && (
          <p class="notice">
            {words.missing}: {missing.join(", ")}.{" "}
            <a href={inStore(c, "/inspect/settings")} lang="en">Store settings</a>
          </p>
        )}
        <dl class="facts">
          {facts.map(([name, text]) => (
            <div>
              <dt>{name}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <h2 id="activities">{words.activities}</h2>
        <div class="scroll" role="region" aria-labelledby="activities" tabindex={0}>
          <Activities activities={activities} record={record} />
        </div>
        {transfers && (
          <>
            <h2>{texts.facts.thirdCountries}</h2>
            <List items={transfers} />
          </>
        )}
        {participants.length > 0 && (
          <>
            <h2>{words.participants}</h2>
            <p>{words.participantsNote}</p>
            <List items={participants} />
          </>
        )}
        <h2>{words.security}</h2>
        <List items={words.securityMeasures} />
      </div>
    </Page>
  );
}

function Languages({ c, current }: { c: InspectContext; current: Language }) {
  return (
    <>
      {LANGUAGES.map((language, index) => (
        <>
          {index > 0 && " · "}
          {language === current
            ? <strong lang={language}>{TEXTS[language].languageName}</strong>
            : (
              <a href={inStore(c, `/inspect${PATH}?language=${language}`)} lang={language}>
                {TEXTS[language].languageName}
              </a>
            )}
        </>
      ))}
    </>
  );
}

function Activities(
  { activities, record: { texts: { facts, record } } }: {
    activities: readonly Activity[];
    record: ProcessingRecord;
  },
) {
  const names = [facts.purpose, facts.legalBasis, record.data, facts.retention, facts.recipients];
  return (
    <table class="stacked record" aria-labelledby="activities">
      <thead>
        <tr>{names.map((name) => <th scope="col">{name}</th>)}</tr>
      </thead>
      <tbody>
        {activities.map(({ purpose, legalBasis, data, retention, recipients }) => (
          <tr>
            <th scope="row">{purpose}</th>
            <td data-name={names[1]}>{legalBasis}</td>
            <td data-name={names[2]}>
              <List items={data.map(({ category, fields }) => `${category}: ${fields.join(", ")}`)} />
            </td>
            <td data-name={names[3]}>
              <List items={retention} />
            </td>
            <td data-name={names[4]}>
              <List items={recipients} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A list, or its only item. */
function List({ items }: { items: readonly string[] }) {
  const [only, another] = items;
  return another === undefined ? <>{only}</> : (
    <ul>
      {items.map((item) => <li>{item}</li>)}
    </ul>
  );
}

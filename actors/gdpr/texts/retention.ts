/** Texts of the retention of data, with the periods of a store. */
import type { Retention } from "../../../domain/processing.ts";
import { type RecordPeriods, recordPeriods } from "../../../domain/retention.ts";
import type { StoreSettings } from "../../../domain/store_settings.ts";
import { fill, type Texts } from "./texts.ts";

/** The period of the retentions that have one. */
const PERIODS: Readonly<Partial<Record<Retention, keyof RecordPeriods>>> = {
  REQUEST_RECORD: "requests",
  REQUEST_TEXT: "requests",
  REQUEST_JOURNAL: "requests",
  JOURNAL: "journal",
  HOLD_RECORD: "holds",
};

export function retentionTexts(
  { language, retentions }: Pick<Texts, "language" | "retentions">,
  settings: StoreSettings,
): Record<Retention, string> {
  const periods = recordPeriods(settings);
  const format = new Intl.NumberFormat(language);
  const texts = Object.entries(retentions) as [Retention, string][];
  return Object.fromEntries(texts.map(([retention, text]) => {
    const period = PERIODS[retention];
    return [retention, period === undefined ? text : fill(text, { days: format.format(periods[period]) })];
  })) as Record<Retention, string>;
}

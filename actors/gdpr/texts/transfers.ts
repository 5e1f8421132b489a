/** Sentences about transfers to third countries. */
import type { StoreSettings } from "../../../domain/store_settings.ts";
import { fill, type Texts } from "./texts.ts";

/**
 * @param none sentence for a store that states that there are no transfers
 * @returns undefined if the store states nothing about transfers
 */
export function transfersOf(
  { texts, settings: { thirdCountries } }: { texts: Texts; settings: StoreSettings },
  none: string,
): string[] | undefined {
  if (!thirdCountries) return undefined;
  if (thirdCountries.length === 0) return [none];
  const names = new Intl.DisplayNames(texts.language, { type: "region" });
  return thirdCountries.map(({ country, ...transfer }) =>
    fill(texts.thirdCountry, { ...transfer, country: names.of(country) ?? country })
  );
}

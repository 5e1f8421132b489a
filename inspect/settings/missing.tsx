/** Statements that documents lack because the settings of the store do not have them. */
import { TEXTS } from "../../actors/gdpr/texts/mod.ts";
import { type MissingStatement, REQUIRED_STATEMENTS } from "../../domain/store_settings.ts";

const LIST = new Intl.ListFormat("en", { type: "conjunction" });

export interface MissingProps {
  missing: readonly MissingStatement[];
  /** Whether access documents require the controller and the contact. */
  requiresController: boolean;
}

/** @param link address of the settings; absent on their own page */
export function Missing({ missing, requiresController, link }: MissingProps & { link?: string }) {
  if (missing.length === 0) return null;
  const required = requiresController ? missing.filter((name) => REQUIRED_STATEMENTS.includes(name)) : [];
  return (
    <div class={required.length > 0 ? "problem" : "notice"} id="missing">
      {required.length > 0 && (
        <p>
          Access documents cannot be created without: {listOf(required)}.
        </p>
      )}
      <p>
        Not stated, so missing from access documents: {listOf(missing)}.{" "}
        {link !== undefined && <a href={link}>Enter them in the store settings</a>}
      </p>
    </div>
  );
}

const listOf = (names: readonly MissingStatement[]) =>
  LIST.format(names.map((name) => TEXTS.en.record.statements[name]));

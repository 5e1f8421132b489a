/** Statements of an access document that depend on the settings of the store: what is not stated there is left out. */
import { fill, RIGHT_NAMES, type RightName } from "../../texts/texts.ts";
import type { Presentation } from "./presentation.ts";

/** The rights of the customer: withdrawal only where a purpose is based on consent. */
export function rightsOf({ texts, settings }: Presentation): { id: RightName; name: string; text: string }[] {
  const hasConsent = Object.values(settings.legalBases ?? {}).some((stated) => stated?.basis === "CONSENT");
  return RIGHT_NAMES.filter((id) => id !== "withdrawal" || hasConsent).map((id) => {
    const { name, text } = texts.rights[id];
    const authority = settings.supervisoryAuthority;
    if (id !== "complaint" || !authority) return { id, name, text };
    const { name: authorityName, complaint } = authority;
    return { id, name, text: fill(texts.complaintToAuthority, { authority: authorityName, complaint }) };
  });
}

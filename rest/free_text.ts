/** Schemas of the free text of decisions: the reason for the customer, and the note for other staff. */
import { optionalText, text } from "../domain/input.ts";

const REFUSED =
  "An email address, a phone number or a value of the customer, such as a name, is refused. The " +
  "erasure of the customer removes it";

const forCustomer = {
  description:
    `Free text for the customer, who reads it in the request and in the access document. ${REFUSED}`,
};

export const reason = text(500).meta(forCustomer);
export const optionalReason = optionalText(500).meta(forCustomer);
export const note = optionalText(500).meta({
  description:
    `Free text for other staff. It is in the timeline, and in nothing that the customer gets. ${REFUSED}`,
});

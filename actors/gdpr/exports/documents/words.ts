/** What an access document says in general words, as Article 15 GDPR asks for. */

export const TITLE = "Your personal data";

export const INTRODUCTION =
  "You have asked which personal data the store holds about you. This document answers that: it names every " +
  "service of the store that was asked, what it holds, what for, how long, and who has received it.";

export const ORIGIN =
  "Each service has told by itself what it holds. Where data did not come from you or from your use of the store, " +
  "the record says so as far as it is known.";

export const AUTOMATED_DECISIONS =
  "None: no decision with legal or similarly significant effects is made about you by automated means alone, " +
  "and no profile is made for one.";

export const RIGHTS: readonly { name: string; text: string }[] = [
  { name: "Rectification", text: "You may have wrong data corrected and incomplete data completed." },
  { name: "Erasure", text: "You may have your data erased where nothing obliges the store to keep them." },
  {
    name: "Restriction and objection",
    text: "You may ask the store to stop using your data for a time, and object to a use of them.",
  },
  { name: "Portability", text: "You may have your data in a machine-readable form, to take them elsewhere." },
  {
    name: "Complaint",
    text: "You may complain to a data protection authority, such as the one where you live or work.",
  },
];

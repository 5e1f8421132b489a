/** Texts of an access document that Article 15 GDPR requires and that are the same for every customer. */

export const TITLE = "Your personal data";

export const INTRODUCTION =
  "You have requested the personal data that the store holds about you. This document lists, for every service of " +
  "the store, the data that it holds, their purposes, how long they are stored, and who has received them.";

export const ORIGIN =
  "Each service has provided its own data. If data did not come from you or from your use of the store, the record " +
  "names their source as far as it is known.";

export const AUTOMATED_DECISIONS =
  "None: no decision with legal or similarly significant effects is based solely on automated processing of your " +
  "data, including profiling.";

/** Rights of the customer in addition to access. */
export const FURTHER_RIGHTS: readonly { name: string; text: string }[] = [
  { name: "Rectification", text: "You may have inaccurate data corrected and incomplete data completed." },
  { name: "Erasure", text: "You may have your data erased unless the law requires the store to keep them." },
  {
    name: "Restriction and objection",
    text: "You may request that the store restrict the processing of your data, and object to it.",
  },
  {
    name: "Portability",
    text: "You may receive your data in a machine-readable format and transfer them to another service.",
  },
  {
    name: "Complaint",
    text: "You may complain to a data protection authority, such as the one where you live or work.",
  },
];

/** Texts of an access document that Article 15 GDPR requires and that are the same for every customer. */

export const TITLE = "Your personal data";

export const INTRODUCTION =
  "You have requested the personal data that the store holds about you. This document lists, for every service of " +
  "the store, the data that it holds, their purposes, how long they are stored, and who can receive them.";

export const ORIGIN =
  "Each section contains what the service has provided. Where the origin of data is recorded, the record names it.";

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

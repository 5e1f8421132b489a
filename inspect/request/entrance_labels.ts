/** Labels of how a request was received, of how an identity was checked, and of grounds of representation. */
import type { GdprRequestRow } from "../../db/gdpr_requests.ts";

export const CHANNEL_LABELS: Readonly<Record<GdprRequestRow["channel"], string>> = {
  ACCOUNT: "in the account",
  EMAIL: "by email",
  LETTER: "by letter",
  PHONE: "by phone",
  IN_PERSON: "in person",
  FORM: "by a form",
  OTHER: "in another way",
};

export const METHOD_LABELS: Readonly<Record<NonNullable<GdprRequestRow["identityMethod"]>, string>> = {
  SIGNED_IN: "signed in to the account",
  EMAIL_REPLY: "answered a message to the email of the account",
  PHONE_CALLBACK: "called back at the number of the account",
  QUESTIONS: "answered questions about the account",
  ID_DOCUMENT: "showed an identity document",
  ELECTRONIC_ID: "used an electronic identity",
  IN_PERSON: "in person",
};

export const GROUND_LABELS: Readonly<Record<NonNullable<GdprRequestRow["representativeGround"]>, string>> = {
  AUTHORIZATION: "with an authorization",
  PARENTAL_RESPONSIBILITY: "as a parent",
  GUARDIANSHIP: "as a guardian",
  INHERITANCE: "as an heir",
};

/** Expected transitions of the request machines, as tables. */
import { OWN_DATA } from "../../actors/gdpr/types.ts";
import type { EventLabel } from "./request_events.ts";

/**
 * The events that each state accepts and the state that follows ("": the same). All other events are refused.
 * `*` is the participant.
 */
export type TransitionTable = Record<string, Record<EventLabel, string>>;

const CLOCK = { extend: "", "at-risk": "", overdue: "" };
const ENDINGS = { cancel: "COMPLETED CANCELLED", refuse: "COMPLETED REFUSED" };
const ENDED = { "COMPLETED FULFILLED": {}, "COMPLETED CANCELLED": {}, "COMPLETED REFUSED": {} };

const ERASURE: TransitionTable = {
  "PENDING.grace": {
    ...CLOCK,
    ...ENDINGS,
    start: "IN_PROGRESS.awaiting_confirmations asked",
    "start-with-open-access": "PENDING.waiting_for_access",
    hold: "PENDING.held",
  },
  "PENDING.waiting_for_access": {
    ...CLOCK,
    ...ENDINGS,
    "access-closed": "PENDING.grace",
    hold: "PENDING.held",
  },
  "PENDING.held": { ...CLOCK, ...ENDINGS, release: "PENDING.grace" },
  "IN_PROGRESS.awaiting_confirmations asked": {
    ...CLOCK,
    "ask *": "",
    "retry *": "",
    "week *": "IN_PROGRESS.awaiting_confirmations overdue",
    "confirm *": "IN_PROGRESS.verifying",
    "waive *": "IN_PROGRESS.verifying",
  },
  "IN_PROGRESS.awaiting_confirmations overdue": {
    ...CLOCK,
    "ask *": "",
    "retry *": "",
    "confirm *": "IN_PROGRESS.verifying",
    "waive *": "IN_PROGRESS.verifying",
  },
  "IN_PROGRESS.verifying": {
    ...CLOCK,
    retry: "",
    "verified-0": "COMPLETED FULFILLED",
    "verified-1": "IN_PROGRESS.residue_found",
  },
  "IN_PROGRESS.residue_found": { ...CLOCK, retry: "IN_PROGRESS.verifying" },
  ...ENDED,
};

const COLLECTING = {
  ...CLOCK,
  ...ENDINGS,
  "retry *": "IN_PROGRESS.collecting asked",
  "received *": "IN_PROGRESS.compiling",
  "waive *": "IN_PROGRESS.compiling",
};
const COLLECTION: TransitionTable = {
  "PENDING.recorded": {
    ...CLOCK,
    ...ENDINGS,
    start: "IN_PROGRESS.collecting asked",
    hold: "PENDING.held",
  },
  "PENDING.held": { ...CLOCK, ...ENDINGS, release: "PENDING.recorded" },
  "IN_PROGRESS.collecting asked": {
    ...COLLECTING,
    "failed *": "IN_PROGRESS.collecting retrying",
  },
  "IN_PROGRESS.collecting asked for the last time": {
    ...COLLECTING,
    "failed *": "IN_PROGRESS.collecting overdue",
  },
  "IN_PROGRESS.collecting retrying": { ...COLLECTING, "ask *": "IN_PROGRESS.collecting asked" },
  "IN_PROGRESS.collecting overdue": COLLECTING,
  "IN_PROGRESS.compiling": { ...CLOCK, ...ENDINGS, retry: "", compiled: "COMPLETED FULFILLED" },
  ...ENDED,
};

/** Each machine with one participant and with two. A collection always includes this service itself. */
export const MACHINES = [
  { id: "gdpr_erasure@1", right: "ERASURE", table: ERASURE, one: ["orders"], two: ["orders", "payments"] },
  { id: "gdpr_access@1", right: "ACCESS", table: COLLECTION, one: [OWN_DATA], two: [OWN_DATA, "orders"] },
  { id: "gdpr_portability@1", right: "PORTABILITY", table: COLLECTION, one: [OWN_DATA], two: [] },
];

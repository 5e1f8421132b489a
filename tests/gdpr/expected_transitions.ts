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
const ENDED = {
  "COMPLETED FULFILLED": {},
  "COMPLETED FULFILLED_WITH_WAIVERS": {},
  "COMPLETED CANCELLED": {},
  "COMPLETED REFUSED": {},
};
/** A hold of staff on the request, and a legal hold on the customer. */
const HOLDS = { hold: "PENDING.held", "customer-held": "PENDING.held by the customer" };
const VERIFYING = { ...CLOCK, retry: "" };
const AWAITING = {
  ...CLOCK,
  "ask *": "",
  "retry *": "",
  "confirm *": "IN_PROGRESS.verifying",
};
const WAIVABLE = {
  ...AWAITING,
  "waive *": "IN_PROGRESS.verifying with waivers",
  "propose *": "IN_PROGRESS.awaiting_confirmations waiver_proposed",
};

const ERASURE: TransitionTable = {
  "PENDING.grace": {
    ...CLOCK,
    ...ENDINGS,
    start: "IN_PROGRESS.awaiting_confirmations asked",
    "start-with-open-access": "PENDING.waiting_for_access",
    "start-with-unfetched": "PENDING.waiting_for_download",
    ...HOLDS,
    "start-while-held": "PENDING.held by the customer",
  },
  "PENDING.waiting_for_download": {
    ...CLOCK,
    ...ENDINGS,
    "download-settled": "PENDING.grace",
    proceed: "PENDING.grace",
    "fetch-end": "PENDING.grace",
    ...HOLDS,
  },
  "PENDING.waiting_for_access": {
    ...CLOCK,
    ...ENDINGS,
    "access-closed": "PENDING.grace",
    ...HOLDS,
  },
  "PENDING.held": {
    ...CLOCK,
    ...ENDINGS,
    release: "PENDING.grace",
    "release-while-held": "PENDING.held by the customer",
  },
  "PENDING.held by the customer": { ...CLOCK, ...ENDINGS, "customer-free": "PENDING.grace" },
  "IN_PROGRESS.awaiting_confirmations asked": {
    ...WAIVABLE,
    "week *": "IN_PROGRESS.awaiting_confirmations overdue",
  },
  "IN_PROGRESS.awaiting_confirmations overdue": WAIVABLE,
  "IN_PROGRESS.awaiting_confirmations waiver_proposed": {
    ...AWAITING,
    "week *": "",
    "second-confirm *": "IN_PROGRESS.verifying with waivers",
    "second-reject *": "IN_PROGRESS.awaiting_confirmations asked",
    "own-withdraw *": "IN_PROGRESS.awaiting_confirmations asked",
  },
  "IN_PROGRESS.verifying": {
    ...VERIFYING,
    "verified-0": "COMPLETED FULFILLED",
    "verified-1": "IN_PROGRESS.residue_found",
  },
  "IN_PROGRESS.verifying with waivers": {
    ...VERIFYING,
    "verified-0": "COMPLETED FULFILLED_WITH_WAIVERS",
    "verified-1": "IN_PROGRESS.residue_found with waivers",
  },
  "IN_PROGRESS.residue_found": { ...CLOCK, retry: "IN_PROGRESS.verifying" },
  "IN_PROGRESS.residue_found with waivers": { ...CLOCK, retry: "IN_PROGRESS.verifying with waivers" },
  ...ENDED,
};

/** An erasure that the customer has not requested, with four eyes. */
const PROPOSED_ERASURE: TransitionTable = {
  ...ERASURE,
  "PENDING.proposed": {
    ...CLOCK,
    cancel: "COMPLETED CANCELLED",
    "second-confirm": "PENDING.grace",
    "subject-request": "PENDING.grace",
    "second-reject": "COMPLETED REFUSED",
    "own-withdraw": "COMPLETED CANCELLED",
  },
};

const ENDINGS_OF_COLLECTION = {
  cancel: "COMPLETED.without_documents CANCELLED",
  refuse: "COMPLETED.without_documents REFUSED",
};
const UNFETCHED = {
  destroyed: "COMPLETED.not_fetched NOT_FETCHED",
  expire: "COMPLETED.not_fetched NOT_FETCHED",
};
const UNFETCHED_WITH_WAIVERS = {
  destroyed: "COMPLETED.not_fetched NOT_FETCHED with waivers",
  expire: "COMPLETED.not_fetched NOT_FETCHED with waivers",
};
const COLLECTING = {
  ...CLOCK,
  ...ENDINGS_OF_COLLECTION,
  "retry *": "IN_PROGRESS.collecting asked",
  "received *": "IN_PROGRESS.compiling",
  "waive *": "IN_PROGRESS.compiling with waivers",
  "propose *": "IN_PROGRESS.compiling with waivers",
};
const COLLECTION: TransitionTable = {
  "PENDING.recorded": {
    ...CLOCK,
    ...ENDINGS_OF_COLLECTION,
    start: "IN_PROGRESS.collecting asked",
    hold: "PENDING.held",
  },
  "PENDING.held": { ...CLOCK, ...ENDINGS_OF_COLLECTION, release: "PENDING.recorded" },
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
  "IN_PROGRESS.compiling": {
    ...CLOCK,
    ...ENDINGS_OF_COLLECTION,
    retry: "",
    compiled: "COMPLETED.available FULFILLED",
  },
  "IN_PROGRESS.compiling with waivers": {
    ...CLOCK,
    ...ENDINGS_OF_COLLECTION,
    retry: "",
    compiled: "COMPLETED.available FULFILLED_WITH_WAIVERS",
  },
  "COMPLETED.available FULFILLED": {
    ...UNFETCHED,
    fetched: "COMPLETED.fetched FULFILLED",
    handed: "COMPLETED.fetched FULFILLED",
  },
  "COMPLETED.available FULFILLED_WITH_WAIVERS": {
    ...UNFETCHED_WITH_WAIVERS,
    fetched: "COMPLETED.fetched FULFILLED_WITH_WAIVERS",
    handed: "COMPLETED.fetched FULFILLED_WITH_WAIVERS",
  },
  "COMPLETED.not_fetched NOT_FETCHED": {
    fetched: "COMPLETED.fetched FULFILLED",
    handed: "COMPLETED.fetched FULFILLED",
  },
  "COMPLETED.not_fetched NOT_FETCHED with waivers": {
    fetched: "COMPLETED.fetched FULFILLED_WITH_WAIVERS",
    handed: "COMPLETED.fetched FULFILLED_WITH_WAIVERS",
  },
  "COMPLETED.fetched FULFILLED": {},
  "COMPLETED.fetched FULFILLED_WITH_WAIVERS": {},
  "COMPLETED.without_documents CANCELLED": {},
  "COMPLETED.without_documents REFUSED": {},
};

/**
 * States of a request from outside a signed-in account, until the identity is checked.
 *
 * @param verified state after the check
 * @param ended prefix of the states in which the request is completed
 */
function identification(verified: string, ended = "COMPLETED"): TransitionTable {
  const endings = { cancel: `${ended} CANCELLED`, refuse: `${ended} REFUSED` };
  const erased = { "subject-erased": `${ended} NOT_IDENTIFIED` };
  const check = { ...CLOCK, ...endings, ...erased, "identity-verify": verified };
  const paused = { ...endings, ...erased, "information-expire": `${ended} NOT_IDENTIFIED` };
  const name = "PENDING.identifying";
  const waiting = "PENDING.waiting_for_information";
  return {
    [name]: { ...check, "identity-fail": `${name} 1`, "information-request": waiting },
    [`${name} 1`]: { ...check, "identity-fail": `${name} 2`, "information-request": `${waiting} 1` },
    [`${name} 2`]: {
      ...check,
      "identity-fail": `${ended} NOT_IDENTIFIED`,
      "information-request": `${waiting} 2`,
    },
    [waiting]: { ...paused, "information-receive": name },
    [`${waiting} 1`]: { ...paused, "information-receive": `${name} 1` },
    [`${waiting} 2`]: { ...paused, "information-receive": `${name} 2` },
    [`${ended} CANCELLED`]: {},
    [`${ended} REFUSED`]: {},
    [`${ended} NOT_IDENTIFIED`]: {},
  };
}

export interface MachineCase {
  id: string;
  right: string;
  /** Whether staff have opened the request, and a second person has to confirm it. */
  proposed: boolean;
  /** Whether the identity has to be checked first; the table ends with the check. */
  unidentified?: boolean;
  table: TransitionTable;
  /** Participants. */
  one: readonly string[];
  two: readonly string[];
}

/**
 * Each machine with one participant and with two. A collection always includes this service itself. A proposed request
 * is opened by staff, and a second person has to confirm it. An unidentified one is followed until its check.
 */
export const MACHINES: readonly MachineCase[] = [
  {
    id: "gdpr_erasure@1",
    right: "ERASURE",
    proposed: false,
    table: ERASURE,
    one: ["orders"],
    two: ["orders", "payments"],
  },
  {
    id: "gdpr_erasure@1",
    right: "ERASURE",
    proposed: true,
    table: PROPOSED_ERASURE,
    one: ["orders"],
    two: [],
  },
  {
    id: "gdpr_access@1",
    right: "ACCESS",
    proposed: false,
    table: COLLECTION,
    one: [OWN_DATA],
    two: [OWN_DATA, "orders"],
  },
  {
    id: "gdpr_portability@1",
    right: "PORTABILITY",
    proposed: false,
    table: COLLECTION,
    one: [OWN_DATA],
    two: [],
  },
  {
    id: "gdpr_erasure@1",
    right: "ERASURE",
    proposed: false,
    unidentified: true,
    table: identification("PENDING.grace"),
    one: ["orders"],
    two: [],
  },
  {
    id: "gdpr_erasure@1",
    right: "ERASURE",
    proposed: true,
    unidentified: true,
    table: identification("PENDING.proposed"),
    one: ["orders"],
    two: [],
  },
  {
    id: "gdpr_access@1",
    right: "ACCESS",
    proposed: false,
    unidentified: true,
    table: identification("PENDING.recorded", "COMPLETED.without_documents"),
    one: [OWN_DATA],
    two: [],
  },
];

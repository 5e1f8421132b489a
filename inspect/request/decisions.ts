/** Texts of the decision forms. */
import type { StaffDecision } from "../../actors/gdpr/requests/available_decisions.ts";

export interface DecisionText {
  title: string;
  /** Consequence of the decision. */
  consequence: string;
  /** Reason for the customer; absent: the decision has none. */
  reason?: { isRequired: boolean; hint: string };
  /** Whether the form asks for the method and the reference of a check. */
  check?: true;
  /** Label of the confirmation checkbox. */
  confirm: string;
  /** Message after the decision. It must stay true after later events. */
  done: string;
  /** Whether the decision is irreversible. */
  final?: boolean;
}

export const DECISION_TEXTS: Readonly<Record<StaffDecision, DecisionText>> = {
  "identity.verify": {
    title: "Confirm the identity",
    consequence: "The request is processed as one of this customer. Keep no copy of a document.",
    check: true,
    confirm: "Yes, I have checked that the person is the customer or acts for the customer",
    done: "You confirmed the identity.",
  },
  "identity.fail": {
    title: "Record a failed check of the identity",
    consequence: "After three failed checks the request ends, and no data is given out or erased.",
    reason: { isRequired: true, hint: "The person reads it" },
    confirm: "Yes, the check has failed",
    done: "You recorded a failed check.",
  },
  "information.request": {
    title: "Request information",
    consequence:
      "The clock pauses until the information is received. Without it the request ends after 30 days.",
    reason: {
      isRequired: true,
      hint: "Which information you need, and why you doubt the identity; the person reads it",
    },
    confirm: "Yes, I have reasonable doubts and need this information",
    done: "You requested information.",
  },
  "information.receive": {
    title: "Record the requested information",
    consequence: "The clock continues. The due date moves by the days of the pause.",
    confirm: "Yes, the information was received now",
    done: "You recorded the information.",
  },
  confirm: {
    title: "Confirm a proposal",
    consequence:
      "You confirm, as the second person, what a colleague has proposed: the erasure starts after its grace period, or the request no longer waits for the service.",
    confirm: "Yes, I have checked it and confirm it",
    done: "You confirmed the proposal.",
    final: true,
  },
  reject: {
    title: "Reject a proposal",
    consequence:
      "A rejected erasure ends as refused. After the rejection of a waiver, the request continues to wait for the service.",
    reason: { isRequired: true, hint: "The customer reads it, if an erasure is rejected" },
    confirm: "Yes, reject it",
    done: "You rejected the proposal.",
  },
  withdraw: {
    title: "Withdraw your proposal",
    consequence:
      "A withdrawn erasure ends as canceled. After the withdrawal of a waiver, the request continues to wait for the service.",
    confirm: "Yes, withdraw it",
    done: "You withdrew the proposal.",
  },
  hand_over: {
    title: "Record the handover of the documents",
    consequence: "The documents count as fetched. For a person who cannot download them from an account.",
    confirm: "Yes, the person has received the documents",
    done: "You recorded the handover.",
  },
  retry: {
    title: "Retry",
    consequence: "The service immediately retries failed and overdue steps, and resets their failure counts.",
    confirm: "Yes, retry now",
    done: "You retried the request.",
  },
  waive: {
    title: "Continue without a service",
    consequence:
      "The request no longer waits for this service. The data of the service is not included, and cannot be added later. Where a second person has to confirm the waiver of an erasure, this proposes it.",
    reason: { isRequired: true, hint: "The customer reads it in the documents of an export" },
    confirm: "Yes, continue without this service",
    done: "You waived the service, or proposed to waive it.",
    final: true,
  },
  release: {
    title: "Release",
    consequence: "The request continues where it was paused.",
    confirm: "Yes, release it",
    done: "You released the request.",
  },
  hold: {
    title: "Put on hold",
    consequence: "Work pauses until staff release the request. The due date does not change.",
    reason: { isRequired: true, hint: "The customer reads it while the request is on hold" },
    confirm: "Yes, put it on hold",
    done: "You put the request on hold.",
  },
  extend: {
    title: "Extend",
    consequence: "The request is then due three months after its receipt. It can be extended once.",
    reason: { isRequired: true, hint: "The customer reads it" },
    confirm: "Yes, extend it",
    done: "You extended the due date.",
  },
  cancel: {
    title: "Cancel the request",
    consequence:
      "The request ends unfulfilled, as the customer wishes. The data collected for it is deleted.",
    reason: { isRequired: false, hint: "The customer reads it" },
    confirm: "Yes, the customer withdraws it",
    done: "You canceled the request.",
    final: true,
  },
  refuse: {
    title: "Refuse the request",
    consequence: "The request ends unfulfilled. The data collected for it is deleted.",
    reason: { isRequired: true, hint: "The customer reads it" },
    confirm: "Yes, refuse it",
    done: "You refused the request.",
    final: true,
  },
};

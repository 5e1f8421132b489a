/** What each decision of a person comes to, for who is about to take it. */
import type { Decision } from "../../actors/gdpr/requests/available_decisions.ts";

export interface DecisionWords {
  title: string;
  /** What follows from it. */
  consequence: string;
  /** Where the person's own words are read again. */
  reason: string;
  /** The decision is taken without a reason too. */
  mayBeSilent?: true;
  /** What has to be confirmed. */
  confirm: string;
  /** What has been done, once it is: true for ever, whatever comes after it. */
  done: string;
  /** It cannot be taken back. */
  final?: boolean;
}

export const DECISION_WORDS: Readonly<Record<Decision, DecisionWords>> = {
  retry: {
    title: "Try again",
    consequence: "What has failed or is late is tried again at once, and its failures are counted anew.",
    reason: "Shown in the timeline",
    mayBeSilent: true,
    confirm: "Yes, try again now",
    done: "You have had it tried again.",
  },
  waive: {
    title: "Go on without a service",
    consequence:
      "The request no longer waits for this service. Its data are not part of what is done, which cannot be made up for later.",
    reason: "Stands in the receipt of an erasure and in the documents of an export",
    confirm: "Yes, go on without this service",
    done: "You have let the request go on without the service.",
    final: true,
  },
  release: {
    title: "Release",
    consequence: "The request goes on where it was held.",
    reason: "Shown in the timeline",
    mayBeSilent: true,
    confirm: "Yes, let it go on",
    done: "You have released the request.",
  },
  hold: {
    title: "Put on hold",
    consequence: "Nothing is done until somebody releases it. The due date stays.",
    reason: "Shown here, and in the receipt of an erasure",
    confirm: "Yes, put it on hold",
    done: "You have put the request on hold.",
  },
  extend: {
    title: "Extend",
    consequence:
      "It is due three months after its receipt. That can be done once, and the customer has to be told why.",
    reason: "Shown here, and in the receipt of an erasure",
    confirm: "Yes, extend it",
    done: "You have extended the due date.",
  },
  cancel: {
    title: "Cancel the request",
    consequence:
      "The request ends without being fulfilled, as its customer wishes. What was collected for it is destroyed.",
    reason: "Shown in the timeline",
    mayBeSilent: true,
    confirm: "Yes, the customer takes it back",
    done: "You have cancelled the request.",
    final: true,
  },
  refuse: {
    title: "Refuse the request",
    consequence: "The request ends without being fulfilled. What was collected for it is destroyed.",
    reason: "Shown here; the customer has to be told",
    confirm: "Yes, refuse it",
    done: "You have refused the request.",
    final: true,
  },
};

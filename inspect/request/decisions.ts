/** Texts of the decision forms. */
import type { Decision } from "../../actors/gdpr/requests/available_decisions.ts";

export interface DecisionText {
  title: string;
  /** Consequence of the decision. */
  consequence: string;
  /** Where the reason is shown later. */
  reason: string;
  /** Whether the reason may be empty. */
  isReasonOptional?: true;
  /** Label of the confirmation checkbox. */
  confirm: string;
  /** Message after the decision. It must stay true after later events. */
  done: string;
  /** Whether the decision is irreversible. */
  final?: boolean;
}

export const DECISION_TEXTS: Readonly<Record<Decision, DecisionText>> = {
  retry: {
    title: "Retry",
    consequence: "The service immediately retries failed and overdue steps, and resets their failure counts.",
    reason: "Shown in the timeline. It must not identify the customer",
    isReasonOptional: true,
    confirm: "Yes, retry now",
    done: "You retried the request.",
  },
  waive: {
    title: "Continue without a service",
    consequence:
      "The request no longer waits for this service. The data of the service is not included, and cannot be added later.",
    reason: "Shown here and in the documents of an export. It must not identify the customer",
    confirm: "Yes, continue without this service",
    done: "You let the request continue without the service.",
    final: true,
  },
  release: {
    title: "Release",
    consequence: "The request continues where it was paused.",
    reason: "Shown in the timeline. It must not identify the customer",
    isReasonOptional: true,
    confirm: "Yes, release it",
    done: "You released the request.",
  },
  hold: {
    title: "Put on hold",
    consequence: "Work pauses until staff release the request. The due date does not change.",
    reason: "Shown here until the customer is erased. It must not identify the customer",
    confirm: "Yes, put it on hold",
    done: "You put the request on hold.",
  },
  extend: {
    title: "Extend",
    consequence:
      "The request is then due three months after its receipt. It can be extended once, and the customer must be informed of the reason.",
    reason: "Shown here until the customer is erased. It must not identify the customer",
    confirm: "Yes, extend it",
    done: "You extended the due date.",
  },
  cancel: {
    title: "Cancel the request",
    consequence:
      "The request ends unfulfilled, as the customer wishes. The data collected for it is deleted.",
    reason: "Shown in the timeline. It must not identify the customer",
    isReasonOptional: true,
    confirm: "Yes, the customer withdraws it",
    done: "You cancelled the request.",
    final: true,
  },
  refuse: {
    title: "Refuse the request",
    consequence: "The request ends unfulfilled. The data collected for it is deleted.",
    reason: "Shown here; the customer must be informed of it",
    confirm: "Yes, refuse it",
    done: "You refused the request.",
    final: true,
  },
};

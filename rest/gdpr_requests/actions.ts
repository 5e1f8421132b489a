/** Actions of staff on a GDPR request. Its state machine decides which action each state accepts. */
import { HOLD_GROUNDS } from "../../domain/holds.ts";
import { NOTICE_WAIVERS, REFUSAL_GROUNDS } from "../../domain/notices.ts";
import { DomainError } from "../../domain/errors.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { optionalText, text, uuid } from "../../domain/input.ts";
import { allow } from "../access.ts";
import { type Api, type ApiContext, createRoute, json, refusals, z } from "../api.ts";
import { sendAndRead } from "../changes.ts";
import { changeHeaders, etag, versioned } from "../conditional_headers.ts";
import { note, optionalReason, reason } from "../free_text.ts";
import type { RestOptions } from "../options.ts";
import { methodOfCheck, receiptOfInformation, referenceOfCheck, RequestSchema } from "./request.ts";
import { findBody, readRequest, requestPath, tags } from "./requests.ts";

const service = text(100).meta({ example: "order-service" });
const optionalService = optionalText(100).meta({ example: "order-service" });
const ReasonSchema = z.strictObject({ reason, note }).meta({ id: "Reason" });
const CancellationSchema = z.strictObject({ reason: optionalReason, note }).meta({ id: "Cancellation" });
const NoteSchema = z.strictObject({ note }).meta({ id: "Note" });
const RetrySchema = NoteSchema.extend({ service: optionalService }).meta({ id: "Retry" });
const DecisionSchema = NoteSchema.extend({ service: optionalService }).meta({ id: "Decision" });
const ground = z.enum(REFUSAL_GROUNDS).meta({ description: "Legal ground, which the customer reads" });
const HoldSchema = ReasonSchema.extend({
  ground: z.enum(HOLD_GROUNDS).meta({
    description: "Legal ground to keep the data, as of a legal hold on a customer",
  }),
}).meta({ id: "RequestHold" });
const RefusalSchema = ReasonSchema.extend({ ground }).meta({ id: "Refusal" });
const RejectionSchema = ReasonSchema.extend({
  service: optionalService,
  ground: ground.optional().meta({
    description: "Required to reject an erasure, and not accepted for a waiver",
  }),
}).meta({ id: "Rejection" });
const NoticeWaiverSchema = z.strictObject({
  waiver: z.enum(NOTICE_WAIVERS).meta({
    description: "How the subject was informed instead, or why it cannot or need not be informed",
  }),
}).meta({ id: "NoticeWaiver" });
const IdentityVerificationSchema = NoteSchema.extend({ method: methodOfCheck, reference: referenceOfCheck })
  .meta({ id: "IdentityVerification" });
const InformationSchema = NoteSchema.extend({ receivedAt: receiptOfInformation }).meta({ id: "Information" });
const WaiverSchema = ReasonSchema.extend({ service }).meta({ id: "Waiver" });

/** Actions whose command has another name, with their operations. */
const NAMED_ACTIONS = {
  "verify-identity": { command: "identity.verify", operationId: "verifyGdprRequestIdentity" },
  "fail-identity": { command: "identity.fail", operationId: "failGdprRequestIdentity" },
  "request-information": { command: "information.request", operationId: "requestGdprRequestInformation" },
  "receive-information": { command: "information.receive", operationId: "receiveGdprRequestInformation" },
  "hand-over": { command: "hand_over", operationId: "handOverGdprRequestDocuments" },
} as const;

const ACTIONS = {
  "verify-identity":
    "Records that the identity of the person has been checked, and how; the request is then processed",
  "fail-identity":
    "Records that a check of the identity has failed; the third completes the request as NOT_IDENTIFIED",
  "request-information":
    "Requests information that is needed to check the identity, and pauses the clock; without it the request completes after 30 days as NOT_IDENTIFIED",
  "receive-information": "Records that the information was received; the clock continues",
  "hand-over":
    "Records that staff have handed the documents over to a person who cannot download them, such as by letter; they then count as fetched",
  cancel: "Cancels a request; data collected for it is deleted",
  release: "Releases a request from its hold; legal holds on the customer have to be lifted instead",
  hold: "Puts a request on hold before its processing begins; its due date does not move",
  refuse: "Completes a request as REFUSED; data collected for it is deleted",
  extend: "Moves the due date to three months after receipt; possible once, in the first month",
  retry:
    "Sends the request to a service again at once; without a service, retries the step that follows all services' replies",
  waive:
    "Continues without the reply of a service, or proposes it where a second person has to confirm the waiver of an erasure; the documents contain the reason, and the receipt its salted hash",
  confirm:
    "Confirms the proposed waiver of a service, or without a service the proposed erasure; not for the person who has proposed it",
  reject:
    "Rejects the proposed waiver of a service, or without a service the proposed erasure, which completes as REFUSED; not for the person who has proposed it",
  withdraw:
    "Withdraws the proposed waiver of a service, or without a service the proposed erasure, which completes as CANCELLED; only for the person who has proposed it",
} as const;
type Action = keyof typeof ACTIONS;

type DirectAction = Exclude<Action, keyof typeof NAMED_ACTIONS>;

const operationOf = (action: Action) =>
  action in NAMED_ACTIONS
    ? NAMED_ACTIONS[action as keyof typeof NAMED_ACTIONS].operationId
    : `${action as DirectAction}GdprRequest` as const;

const partsOf = (action: Action) =>
  ({
    operationId: operationOf(action),
    method: "post",
    path: `/gdpr-requests/{requestId}/${action}`,
    summary: ACTIONS[action],
    tags,
    middleware: allow(operationOf(action)),
    responses: {
      200: { ...json("The updated request", RequestSchema), ...versioned },
      ...refusals("NOT_FOUND", "REFUSED_IN_STATE", "CONFLICT"),
    },
  }) as const;

const withBody = <Schema extends z.ZodType>(action: Action, schema: Schema, required = true) =>
  createRoute({
    ...partsOf(action),
    request: {
      params: requestPath,
      headers: changeHeaders,
      body: { required, content: { "application/json": { schema } } },
    },
  });

const waiveGdprNotice = createRoute({
  operationId: "waiveGdprNotice",
  method: "post",
  path: "/gdpr-requests/{requestId}/notices/{noticeId}/waive",
  summary: "Waives a notice that the subject has received in another way, or cannot or need not receive",
  description: "A sealed recipient of an erased subject is destroyed.",
  tags,
  middleware: allow("waiveGdprNotice"),
  request: {
    params: requestPath.extend({ noticeId: uuid }),
    body: { required: true, content: { "application/json": { schema: NoticeWaiverSchema } } },
  },
  responses: {
    200: { ...json("The request with its notices", RequestSchema), ...versioned },
    ...refusals("NOT_FOUND", "REFUSED_IN_STATE"),
  },
});

export function addActionRoutes(api: Api, { actors, reader }: RestOptions): void {
  async function act(c: ApiContext, requestId: string, action: Action, fields = {}) {
    const ref = { kind: "gdpr_request", storeId: c.var.by.storeId, id: requestId } as const;
    const type = action in NAMED_ACTIONS
      ? NAMED_ACTIONS[action as keyof typeof NAMED_ACTIONS].command
      : action;
    const change = await sendAndRead(
      c,
      (context) =>
        actors.sendAndReadWith(
          ref,
          { ...fields, type },
          context,
          (sql, { id }) => findBody(sql, ref.storeId, id),
        ),
      (id, storeId) => readRequest(reader, storeId, id),
    );
    c.set("answered", { ...c.var.answered, customerId: change.resource.customerId });
    return change;
  }

  api.openapi(withBody("cancel", CancellationSchema, false), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "cancel", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  for (const action of ["release", "hand-over"] as const) {
    api.openapi(withBody(action, NoteSchema, false), async (c) => {
      const { requestId } = c.req.valid("param");
      const { resource, headers } = await act(c, requestId, action, c.req.valid("json"));
      return c.json(resource, 200, headers);
    });
  }

  api.openapi(withBody("refuse", RefusalSchema), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "refuse", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(withBody("verify-identity", IdentityVerificationSchema), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "verify-identity", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(withBody("receive-information", InformationSchema, false), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "receive-information", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(withBody("hold", HoldSchema), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "hold", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  for (const action of ["extend", "fail-identity", "request-information"] as const) {
    api.openapi(withBody(action, ReasonSchema), async (c) => {
      const { requestId } = c.req.valid("param");
      const { resource, headers } = await act(c, requestId, action, c.req.valid("json"));
      return c.json(resource, 200, headers);
    });
  }

  for (const action of ["confirm", "withdraw"] as const) {
    api.openapi(withBody(action, DecisionSchema, false), async (c) => {
      const { requestId } = c.req.valid("param");
      const { resource, headers } = await act(c, requestId, action, c.req.valid("json"));
      return c.json(resource, 200, headers);
    });
  }

  api.openapi(withBody("reject", RejectionSchema), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "reject", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(withBody("retry", RetrySchema, false), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "retry", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(withBody("waive", WaiverSchema), async (c) => {
    const { requestId } = c.req.valid("param");
    const { resource, headers } = await act(c, requestId, "waive", c.req.valid("json"));
    return c.json(resource, 200, headers);
  });

  api.openapi(waiveGdprNotice, async (c) => {
    const { requestId, noticeId } = c.req.valid("param");
    const { storeId } = c.var.by;
    const { notices, customerId } = await readRequest(reader, storeId, requestId);
    c.set("answered", { ...c.var.answered, requestId, customerId });
    if (!notices.some((notice) => notice.noticeId === noticeId)) {
      throw new DomainError("NOT_FOUND", `Cannot find notice ${noticeId} of request ${requestId}`);
    }
    const command = { type: "waive" as const, ...c.req.valid("json") };
    const { actor } = await actors.sendAndReadWith(
      { kind: "gdpr_notice", storeId, id: noticeId } as const,
      command,
      { by: c.var.by, traceparent: traceparentOf(c) },
      (sql) => findBody(sql, storeId, requestId),
    );
    const resource = actor ?? await readRequest(reader, storeId, requestId);
    return c.json(resource, 200, { etag: etag(resource.version) });
  });
}

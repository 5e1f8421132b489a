/**
 * ConfirmErasure: a participant reports that it has anonymized its data. Repeated confirmations are accepted.
 */
import { create } from "@bufbuild/protobuf";
import { z } from "zod";
import { DomainError, hasCode } from "../domain/errors.ts";
import { parseInput, text, uuid } from "../domain/input.ts";
import { systemPrincipal } from "../domain/principal.ts";
import type { Actors } from "../actors/commands.ts";
import type { ParticipationKey, RequestLookups } from "../db/gdpr_lookups.ts";
import { ConfirmErasureResponseSchema } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { type CallContext, type CustomerMethods, requireStore } from "./contract.ts";

/** With the names of the contract, which the error message repeats. */
const KEY = z.object({ request_id: uuid, store_id: uuid, service: text(100) });

export function createConfirmErasure(
  actors: Actors,
  requests: Pick<RequestLookups, "findParticipation">,
): CustomerMethods["confirmErasure"] {
  return async (request, context) => {
    const key = readKey(request);
    requireStore(context, key.storeId);
    requireItself(context, key);
    const { requestId, storeId, service } = key;
    const { traceparent = newTraceparent() } = context;
    const given = {
      ...(request.evidence !== "" && { evidence: request.evidence }),
      ...(request.signature.length > 0 && { signature: new Uint8Array(request.signature) }),
    };
    let alreadyConfirmed = false;
    try {
      await actors.send(
        { kind: "gdpr_request", storeId, id: requestId },
        { type: "participant.confirm", service, ...given },
        {
          by: { ...systemPrincipal(storeId), service: context.caller.service },
          traceparent,
          wanted: context.wanted,
        },
      );
    } catch (refused) {
      if (!hasCode(refused, "REFUSED_IN_STATE")) throw refused;
      const reason = await explain(requests, key, context, refused);
      if (reason) throw reason;
      alreadyConfirmed = true;
    }
    return create(ConfirmErasureResponseSchema, { accepted: true, alreadyConfirmed });
  };
}

function readKey({ requestId, storeId, service }: ParticipationKey): ParticipationKey {
  const fields = { request_id: requestId, store_id: storeId, service };
  const key = parseInput(KEY, fields, "confirm the erasure");
  return { requestId: key.request_id, storeId: key.store_id, service: key.service };
}

function requireItself({ caller }: CallContext, { requestId, service }: ParticipationKey): void {
  if (caller.unproven || caller.service === service) return;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot confirm erasure ${requestId}: ${caller.service} may confirm for itself only`,
  );
}

/** Returns why the request has refused; undefined when it already has the participant's confirmation. */
async function explain(
  requests: Pick<RequestLookups, "findParticipation">,
  key: ParticipationKey,
  { wanted }: CallContext,
  cause: DomainError,
): Promise<DomainError | undefined> {
  const { requestId, service } = key;
  const error = (code: DomainError["code"], why: string) =>
    new DomainError(code, `Cannot confirm erasure ${requestId}: ${why}`, { cause });
  const participation = await requests.findParticipation(key, wanted);
  if (participation?.type !== "ERASURE") return error("REFUSED_IN_STATE", "the request is not an erasure");
  const { status, outcome, participant } = participation;
  if (participant === "CONFIRMED") return undefined;
  if (participant === "WAIVED") return error("REFUSED_IN_STATE", `it no longer waits for ${service}`);
  if (status === "PENDING") return error("REFUSED_IN_STATE", "it has not begun");
  if (outcome === "CANCELLED" || outcome === "REFUSED") {
    return error("REFUSED_IN_STATE", "it has never begun");
  }
  if (participant === null) return error("NOT_FOUND", `${service} takes no part in it`);
  // The request waits now, so it has started to wait since the refusal, or a newer version of this service handles it.
  return error("UNAVAILABLE", "try again");
}

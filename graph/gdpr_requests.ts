/** GDPR requests of the caller. Those of other customers are reported like requests that do not exist. */
import { DomainError } from "../domain/errors.ts";
import { parseInput, uuid } from "../domain/input.ts";
import type { Actors } from "../actors/commands.ts";
import type { RequestLookups, SubjectRequest } from "../db/gdpr_lookups.ts";
import { type Caller, commandContext } from "./caller.ts";

type Right = SubjectRequest["type"];

/**
 * Operations on the requests. Each also throws what Caller.shopper throws. Reads also serve anonymized
 * subjects.
 */
export interface OwnRequests {
  /** Newest first. */
  list(caller: Caller): Promise<SubjectRequest[]>;
  /** @throws {DomainError} INVALID_INPUT, NOT_FOUND, UNAVAILABLE */
  read(caller: Caller, id: string): Promise<SubjectRequest>;
  /**
   * Opens a request, or returns the one that is already open for this right.
   *
   * @param field name of the result in the response
   * @param corrections with a RECTIFICATION: the wrong fields of the profile, with their correct values
   * @throws {DomainError} what Actors.send throws
   */
  open(caller: Caller, field: string, right: Right, corrections?: Corrections): Promise<SubjectRequest>;
  /** @throws {DomainError} NOT_FOUND, and what Actors.send throws */
  cancel(caller: Caller, field: string, id: string, expectedVersion?: number | null): Promise<SubjectRequest>;
  /**
   * Starts an erasure that waits for a download.
   *
   * @throws {DomainError} NOT_FOUND, and what Actors.send throws
   */
  proceed(caller: Caller, field: string, id: string, expectedVersion?: number | null): Promise<SubjectRequest>;
}

export type Corrections = Record<string, unknown>;

export function createOwnRequests(actors: Actors, requests: RequestLookups): OwnRequests {
  async function read(caller: Caller, id: string): Promise<SubjectRequest> {
    const requestId = parseInput(uuid, id, "read a request: id");
    const { id: customerId, storeId } = await caller.shopper();
    const found = await requests.findRequest({ storeId, customerId, requestId }, caller.wanted);
    if (!found) throw new DomainError("NOT_FOUND", `Cannot find request ${requestId}`);
    return found;
  }

  const send = (type: "cancel" | "proceed"): OwnRequests["cancel"] => async (caller, field, id, expectedVersion) => {
    const { requestId } = await read(caller, id);
    const context = await commandContext(caller, field, expectedVersion);
    const { by: { storeId } } = context;
    await actors.send({ kind: "gdpr_request", storeId, id: requestId }, { type }, context);
    return await read(caller, requestId);
  };

  return {
    async list(caller) {
      const { id: customerId, storeId } = await caller.shopper();
      return await requests.findRequests({ storeId, customerId }, caller.wanted);
    },

    read,

    async open(caller, field, right, corrections) {
      const context = await commandContext(caller, field);
      const { by: { id: customerId, storeId } } = context;
      const command = { type: "open" as const, customerId, right, ...(corrections && { corrections }) };
      const answer = await actors.send({ kind: "gdpr_request", storeId }, command, context);
      return await read(caller, answer.id);
    },

    cancel: send("cancel"),
    proceed: send("proceed"),
  };
}

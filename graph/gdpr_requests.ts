/** The caller's own GDPR requests, and no one else's: those have no more to be found than ones that do not exist. */
import { DomainError } from "../domain/errors.ts";
import { parseInput, uuid } from "../domain/input.ts";
import type { Actors } from "../actors/commands.ts";
import type { RequestLookups, SubjectRequest } from "../db/gdpr_lookups.ts";
import { type Caller, commandContext } from "./caller.ts";

type Right = SubjectRequest["type"];

/** Each also throws what Caller.shopper throws. Those that read answer anonymised subjects too. */
export interface OwnRequests {
  /** Newest first. */
  list(caller: Caller): Promise<SubjectRequest[]>;
  /** @throws {DomainError} INVALID_INPUT, NOT_FOUND, UNAVAILABLE */
  read(caller: Caller, id: string): Promise<SubjectRequest>;
  /**
   * Opens a request, or gives the one for this right that is open already.
   *
   * @param field the name under which the result appears in the response
   * @param corrections with a RECTIFICATION: the fields of the profile that are wrong, as they should be
   * @throws {DomainError} what Actors.send throws
   */
  open(caller: Caller, field: string, right: Right, corrections?: Corrections): Promise<SubjectRequest>;
  /** @throws {DomainError} NOT_FOUND, and what Actors.send throws */
  cancel(caller: Caller, field: string, id: string, expectedVersion?: number | null): Promise<SubjectRequest>;
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

    async cancel(caller, field, id, expectedVersion) {
      const { requestId } = await read(caller, id);
      const context = await commandContext(caller, field, expectedVersion);
      const { by: { storeId } } = context;
      await actors.send({ kind: "gdpr_request", storeId, id: requestId }, { type: "cancel" }, context);
      return await read(caller, requestId);
    },
  };
}

/** GDPR requests of the caller. Those of other customers are reported like requests that do not exist. */
import { DomainError, hasCode } from "../domain/errors.ts";
import type { Actors } from "../actors/commands.ts";
import type { RequestLookups, SubjectInformation, SubjectRequest } from "../db/gdpr_lookups.ts";
import { commandContext, type GraphCaller } from "./caller.ts";
import { type Input, parseId } from "./inputs.ts";
import { connectionOf, type PageArguments, parsePage, type RequestConnection } from "./request_connection.ts";

type Right = SubjectRequest["type"];

/**
 * Operations on the requests. Each also throws what Caller.shopper throws. Reads also serve anonymized
 * subjects.
 */
export interface OwnRequests {
  /**
   * Lists a page, newest first.
   *
   * @throws {DomainError} INVALID_INPUT, UNAVAILABLE
   */
  list(caller: GraphCaller, page: PageArguments): Promise<RequestConnection>;
  /** @throws {DomainError} INVALID_INPUT, NOT_FOUND, UNAVAILABLE */
  read(caller: GraphCaller, id: string): Promise<SubjectRequest>;
  /**
   * Reads the notices of a request and the ground of its refusal. Repeated reads of a request share one lookup.
   *
   * @throws {DomainError} NOT_FOUND, UNAVAILABLE
   */
  readInformation(caller: GraphCaller, request: SubjectRequest): Promise<SubjectInformation>;
  /**
   * Opens a request, or returns the one that is already open for this right.
   *
   * @param field name of the result in the response
   * @param corrections with a RECTIFICATION: the wrong fields of the profile, with their correct values
   * @throws {DomainError} what Actors.send throws
   */
  open(caller: GraphCaller, field: string, right: Right, corrections?: Input): Promise<SubjectRequest>;
  /** @throws {DomainError} NOT_FOUND, and what Actors.send throws */
  cancel(
    caller: GraphCaller,
    field: string,
    id: string,
    expectedVersion?: number | null,
  ): Promise<SubjectRequest>;
  /**
   * Starts an erasure that waits for a download.
   *
   * @throws {DomainError} NOT_FOUND, and what Actors.send throws
   */
  proceed(
    caller: GraphCaller,
    field: string,
    id: string,
    expectedVersion?: number | null,
  ): Promise<SubjectRequest>;
}

export function createOwnRequests(actors: Actors, requests: RequestLookups): OwnRequests {
  async function read(caller: GraphCaller, id: string): Promise<SubjectRequest> {
    const requestId = parseId(id, "read a GDPR request");
    const { id: customerId, storeId } = await caller.shopper();
    const request = await requests.findRequest({ storeId, customerId, requestId }, caller.wanted);
    if (!request) throw new DomainError("NOT_FOUND", `Cannot find GDPR request ${requestId}`);
    return request;
  }

  async function readInformation(
    caller: GraphCaller,
    { requestId }: SubjectRequest,
  ): Promise<SubjectInformation> {
    const { id: customerId, storeId } = await caller.shopper();
    const found = await requests.findInformation({ storeId, customerId, requestId }, caller.wanted);
    if (!found) throw new DomainError("NOT_FOUND", `Cannot find GDPR request ${requestId}`);
    return found;
  }
  const informations = new WeakMap<SubjectRequest, Promise<SubjectInformation>>();

  const send =
    (type: "cancel" | "proceed"): OwnRequests["cancel"] => async (caller, field, id, expectedVersion) => {
      const { requestId } = await read(caller, id);
      const context = await commandContext(caller, field, expectedVersion);
      const { by: { storeId } } = context;
      await actors.send({ kind: "gdpr_request", storeId, id: requestId }, { type }, context);
      return await read(caller, requestId);
    };

  return {
    async list(caller, given) {
      const page = parsePage(given);
      const { id: customerId, storeId } = await caller.shopper();
      const key = { storeId, customerId, limit: page.first + 1, after: page.after };
      return connectionOf(await requests.findRequests(key, caller.wanted), page);
    },

    read,

    readInformation(caller, request) {
      let information = informations.get(request);
      if (!information) informations.set(request, information = readInformation(caller, request));
      return information;
    },

    async open(caller, field, right, corrections) {
      const context = await commandContext(caller, field);
      const { by: { id: customerId, storeId } } = context;
      const command = { type: "open" as const, customerId, right, ...(corrections && { corrections }) };
      const answer = await namingArguments(actors.send({ kind: "gdpr_request", storeId }, command, context));
      return await read(caller, answer.id);
    },

    cancel: send("cancel"),
    proceed: send("proceed"),
  };
}

/** Names the corrected fields as the mutation's input does, and not as the command. */
async function namingArguments<T>(sent: Promise<T>): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    if (!hasCode(error, "INVALID_INPUT")) throw error;
    const fields = error.fields.filter(({ field }) => field.startsWith(CORRECTIONS))
      .map(({ field, message }) => ({ field: field.slice(CORRECTIONS.length), message }));
    throw new DomainError(error.code, error.message.replaceAll(COMMAND_FIELD, ""), { cause: error, fields });
  }
}

const CORRECTIONS = "corrections.";
const COMMAND_FIELD = /\bcorrections[. ]/g;

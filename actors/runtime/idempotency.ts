/** Idempotency keys: a command with a key runs once, and a repetition gets the stored answer. */
import type { AnsweredKey } from "../../db/commits.ts";
import { createAnswerLookup, type IdempotencyKey, type StoredAnswer } from "../../db/idempotency_keys.ts";
import type { StoreReader } from "../../db/store_reader.ts";
import { DomainError } from "../../domain/errors.ts";
import type { Principal } from "../../domain/principal.ts";
import type { ActorRef, Answer, Command, CommandContext, NewActorRef } from "./protocol.ts";
import { addMilliseconds } from "../../lib/dates.ts";
import { hmacSha256 } from "../../lib/hash.ts";

const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

/**
 * The key as a caller's Idempotency-Key header gives it; undefined without one.
 *
 * @throws {DomainError} INVALID_INPUT
 */
export function readIdempotencyKey(header: string | null | undefined): string | undefined {
  if (header === null || header === undefined) return undefined;
  if (PRINTABLE_ASCII.test(header)) return header;
  throw new DomainError(
    "INVALID_INPUT",
    "Cannot accept the Idempotency-Key header: it must have 1 to 255 printable ASCII characters",
  );
}

/** How long an answer can be asked for again. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/** A command as its caller sent it. */
export interface SentCommand {
  /** Of the command in words, for messages. */
  purpose: string;
  /** Without an ID if the runtime generates one, which differs at each repetition. */
  asked: ActorRef | NewActorRef;
  command: Command;
  context: CommandContext;
}

/** Hashes of an idempotency key and of its request. */
export interface HashedKey extends IdempotencyKey {
  requestHash: Uint8Array;
}

/**
 * Hashes a command's idempotency key; undefined for a command without one.
 *
 * @throws {DomainError} INVALID_INPUT: the key is empty
 */
export async function hashRequest(
  hashKey: CryptoKey,
  { purpose, asked, command, context: { by, idempotencyKey, expectedVersion } }: SentCommand,
): Promise<HashedKey | undefined> {
  if (idempotencyKey === undefined) return undefined;
  if (idempotencyKey === "") {
    throw new DomainError("INVALID_INPUT", `Cannot ${purpose}: the idempotency key is empty`);
  }
  // Only keyed hashes are stored, neither the key nor the command: both may be guessed from a list of emails.
  const request = JSON.stringify(["idempotent command", idempotencyKey, asked, command, expectedVersion]);
  const [key, requestHash] = await Promise.all([
    hashIdempotencyKey(hashKey, idempotencyKey),
    hmacSha256(hashKey, request),
  ]);
  return { storeId: asked.storeId, principalId: by.id, principalType: by.type, key, requestHash };
}

/** The key with the answer that its repetitions get. */
export function answeredKey(key: HashedKey, answer: Answer, at: Date): AnsweredKey {
  return { ...key, answer, createdAt: at, expiresAt: addMilliseconds(at, KEPT_MS) };
}

/**
 * Returns the answer that is stored under a command's key.
 *
 * @throws {DomainError} INVALID_INPUT: the key belongs to another request
 */
export function repeatedAnswer(stored: StoredAnswer, key: HashedKey, purpose: string): Answer {
  const ownedByOther = stored.principalType !== null && stored.principalType !== key.principalType;
  if (ownedByOther || stored.requestHash.toHex() !== key.requestHash.toHex()) {
    throw new DomainError(
      "INVALID_INPUT",
      `Cannot ${purpose}: the idempotency key belongs to another request`,
    );
  }
  return stored.answer as Answer;
}

/**
 * Lookup of the answers that are stored under a principal's keys; undefined for a key without a stored answer.
 *
 * @param hashKey that of the runtime
 */
export function createAnswers(
  reader: StoreReader,
  { storeId, id, type }: Principal,
  hashKey: CryptoKey,
): (idempotencyKey: string) => Promise<Answer | undefined> {
  const find = createAnswerLookup(reader, { storeId, principalId: id, principalType: type });
  return async (key) => await find(await hashIdempotencyKey(hashKey, key)) as Answer | undefined;
}

async function hashIdempotencyKey(hashKey: CryptoKey, key: string): Promise<string> {
  return (await hmacSha256(hashKey, `idempotency key ${key}`)).toHex();
}

/** A command under a key is carried out once; whoever repeats it gets the same answer again. */
import type { Tx } from "../db/connect.ts";
import { claimKey, storeAnswer } from "../db/idempotency_keys.ts";
import { DomainError } from "./errors.ts";
import type { ActorRef, Answer, Command, CommandContext } from "./protocol.ts";

/** How long an answer can be asked for again. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Runs `command` unless its key has an answer already.
 *
 * @throws {DomainError} INVALID_INPUT when the key is empty or belongs to another request
 */
export async function answerOnce(
  tx: Tx,
  ref: ActorRef,
  command: Command,
  { by, idempotencyKey, expectedVersion }: CommandContext,
  now: Date,
  run: () => Promise<Answer>,
): Promise<Answer> {
  if (idempotencyKey === undefined) return await run();
  if (idempotencyKey === "") {
    throw new DomainError("INVALID_INPUT", `Cannot ${command.type} ${ref.id}: the idempotency key is empty`);
  }
  // Neither what the caller chose as a key nor what the command carries is kept: only digests of them, and the
  // request's is keyed with what is not kept.
  const key = { storeId: ref.storeId, principalId: by.id, key: (await digest(idempotencyKey)).toHex() };
  const request = JSON.stringify([ref, command, expectedVersion]);
  const hash = await authenticate(idempotencyKey, request);
  const stored = await claimKey(tx, key, hash, now, new Date(now.getTime() + KEPT_MS));
  if (stored === undefined) {
    const answer = await run();
    await storeAnswer(tx, key, answer);
    return answer;
  }
  if (new Uint8Array(stored.requestHash).toHex() !== hash.toHex()) {
    const reason = "the idempotency key belongs to another request";
    throw new DomainError("INVALID_INPUT", `Cannot ${command.type} ${ref.id}: ${reason}`);
  }
  return stored.answer as Answer;
}

const encoder = new TextEncoder();

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

async function authenticate(secret: string, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

/**
 * Replica of the service that processes all due timers, effects and events and exits, or kills itself with SIGKILL at
 * a given point. It also simulates the participants, which log every call. Its argument is `ReplicaOptions` as JSON.
 */
import { deriveHashKey, deriveHmacKey } from "../../lib/hash_keys.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import postgres from "postgres";
import { createRequestPerformers, createRequestSettings, type RequestKeys } from "../../actors/gdpr/mod.ts";
import { createActors } from "../../actors/mod.ts";
import { systemPrincipal } from "../../domain/principal.ts";
import { claimEffects, settleEffect } from "../../db/effects.ts";
import { claimTimers } from "../../db/timers.ts";

export interface ReplicaOptions {
  url: string;
  /** Current time, in milliseconds. */
  now: number;
  /**
   * Point of the SIGKILL: before the nth commit of a transaction that writes, after the response to it, or before the
   * nth statement. Undefined: never.
   */
  kill?: { at: "commit" | "committed" | "statement"; n: number };
  participants: string[];
  /** File to which the participants append a line for each call. */
  callLog: string;
  /** As JWKs. */
  keys: Record<"exportKey" | "private" | "public", JsonWebKey> & {
    /** In hexadecimal. */ hashSecret: string;
  };
}

/** Number of records of each participant. */
export const RECORDS = 2;
/** Shorter than the time between two processes of a test. */
const CLAIM_MS = 5_000;

if (import.meta.main) await work(JSON.parse(Deno.args[0] ?? ""));

async function work({ url, now, kill, participants, callLog, keys: jwks }: ReplicaOptions): Promise<void> {
  const keys = await importKeys(jwks);
  const clock = () => new Date(now);
  const pool = createPools(url, kill);
  const [api, sql] = [pool("customer_api"), pool("customer_worker")];
  const actors = createActors(api, {
    clock,
    requests: createRequestSettings({
      participants,
      graceMs: 0,
      fourEyes: false,
      fetchWaitMs: 7 * 86_400_000,
      maxSignInAgeMs: 900_000,
    }, keys),
  });
  const write = (line: string) => Deno.writeTextFileSync(callLog, `${line}\n`, { append: true });
  const peers = {
    async *collect(service: string, { resumeAfter }: { resumeAfter: string | undefined }) {
      write(`${service} collects`);
      for (let number = Number(resumeAfter ?? 0) + 1; number <= RECORDS; number++) {
        const record = { category: "order", purpose: "to fulfil it", retention: "ten years", recipients: [] };
        yield { cursor: String(number), record: { ...record, data: { number }, recordedAt: undefined } };
      }
    },
  };
  const performers = createRequestPerformers(api, peers, keys, { clock });
  const until = new Date(now + CLAIM_MS);
  const { signal } = new AbortController();

  for (let more = true; more;) {
    const timers = await claimTimers(sql, { now: clock(), claimedUntil: until, limit: 50 });
    for (const timer of timers) await actors.fire(timer);
    const effects = await claimEffects(sql, { now: clock(), claimedUntil: until, limit: 1 });
    for (const effect of effects) {
      const performer = Object.entries(performers).find(([type]) => type === effect.type)?.[1];
      await performer?.(effect, { actors, sql: api, signal });
      await settleEffect(sql, effect, { state: "DONE", finishedAt: clock(), lastError: null });
    }
    const events = await sql`
      select event_id, store_id, payload from outbox
      where topic = 'customer.erasure_requested' and published_at is null`;
    for (const { eventId, storeId, payload } of events) {
      for (const service of payload.participants) {
        write(`${service} erases`);
        const request = { kind: "gdpr_request" as const, storeId, id: payload.requestId };
        const command = { type: "participant.confirm" as const, service };
        const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
        await actors.send(request, command, context).catch((error) => {
          if (error.code !== "REFUSED_IN_STATE") throw error; // already confirmed
        });
      }
      await sql`update outbox set published_at = ${clock()} where event_id = ${eventId}`;
    }
    more = timers.length + effects.length + events.length > 0;
  }
  await Promise.all([api.end(), sql.end()]);
}

function createPools(url: string, kill: ReplicaOptions["kill"]) {
  const writes = /^\s*(insert|update|delete)/i;
  let [statements, commits, committed] = [0, 0, 0];
  let wrote = false;
  const debug = (_: number, query: string) => {
    statements++;
    committed = commits;
    if (query.startsWith("begin")) wrote = false;
    if (writes.test(query)) wrote = true;
    if (query.startsWith("commit") && wrote) commits++;
    const counts = { statement: statements, commit: commits, committed };
    if (kill && counts[kill.at] === kill.n) Deno.kill(Deno.pid, "SIGKILL");
  };
  return (role: string) =>
    postgres(url, {
      max: 1,
      connection: { role },
      transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
      onnotice: () => {},
      debug,
    });
}

async function importKeys(jwks: ReplicaOptions["keys"]): Promise<RequestKeys> {
  const aes = { name: "AES-GCM" };
  const signing = { name: "Ed25519" };
  const open = crypto.subtle.importKey.bind(crypto.subtle);
  return {
    exportKey: await open("jwk", jwks.exportKey, aes, false, ["encrypt", "decrypt"]),
    hashKeys: [await deriveHashKey(Uint8Array.fromHex(jwks.hashSecret))],
    digestKey: await deriveHmacKey(Uint8Array.fromHex(jwks.hashSecret), "idempotency keys"),
    receiptKey: {
      id: "test",
      private: await open("jwk", jwks.private, signing, false, ["sign"]),
      public: await open("jwk", jwks.public, signing, true, ["verify"]),
    },
  };
}

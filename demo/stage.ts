/** Stage on which a sample story is played: real actors with a clock that the story sets, also for timers and effects. */
import type { ActorRef, Commands, Performer } from "../actors/commands.ts";
import type { Runtime } from "../actors/runtime/mod.ts";
import type { Sql } from "../db/connect.ts";
import { claimEffects, settleEffect } from "../db/effects.ts";
import { claimTimers } from "../db/timers.ts";
import { type Principal, systemPrincipal } from "../domain/principal.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { HOME, SAMPLE_CUSTOMERS } from "./sample_customers.ts";

export const DAY = 24 * 60 * 60_000;
const CLAIM_MS = 60_000;

/** The current time of a story; the actors read it. */
export interface StoryTime {
  now: Date;
}

export interface StageOptions {
  storeId: string;
  actors: Runtime<Commands>;
  time: StoryTime;
  performers: Readonly<Record<string, Performer>>;
  /** Pool of customer_worker, which claims timers and effects. */
  worker: Sql;
  /** Pool of customer_api. */
  api: Sql;
  officer: Principal;
  /** Groups to which customers belong in turn; a third of the customers belong to none. */
  groupIds?: readonly string[];
  /** Confirms an erasure as a participant. By default without a signature. */
  confirmation?: (request: ActorRef, service: string, evidence: string) => Promise<object>;
  /** Settles the events of the work that was done, so that nothing is published again. */
  settle?: () => Promise<void>;
  /** Ends the story early. */
  signal?: AbortSignal;
}

export interface Stage {
  /**
   * Sets the clock to `daysAgo`, 0 for the start of the story, and runs all work that was due until then, each at its time.
   *
   * @throws the reason of the signal that has ended the story
   */
  workUntil(daysAgo: number): Promise<void>;
  /** Registers the next sample customer. */
  register(): Promise<ActorRef>;
  /** Opens a request as the customer. */
  open(customer: ActorRef, right: string, fields?: Record<string, unknown>): Promise<ActorRef>;
  /** Opens a request as the officer, for a person who has written, called or come. */
  enter(fields: Record<string, unknown>): Promise<ActorRef>;
  /** Sends a command, by default as the officer. */
  send(ref: ActorRef, type: string, fields?: Record<string, unknown>, by?: Principal): Promise<void>;
  /** Confirms an erasure for each of the participants. */
  confirm(request: ActorRef, ...participants: string[]): Promise<void>;
}

const EVIDENCE: Record<string, string> = {
  "order-service": "4 orders, 1 return anonymized",
  "payment-service": "4 payments, 1 saved card anonymized",
  "communication-service": "12 emails, 1 newsletter subscription anonymized",
};

export function createStage(options: StageOptions): Stage {
  const { storeId, actors, time, performers, worker, api, officer, groupIds = [], settle } = options;
  const { confirmation = (_, service, evidence) => Promise.resolve({ service, evidence }) } = options;
  const signal = options.signal ?? new AbortController().signal;
  /** What callers request meanwhile is due later, and not the work of the story. */
  const end = Date.now();
  const customers = SAMPLE_CUSTOMERS.entries();
  let requests = 0;

  async function command(ref: ActorRef, type: string, fields: object, by: Principal) {
    return await actors.sendUnchecked(ref, { type, ...fields }, { by, traceparent: newTraceparent() });
  }

  /** Fires due timers and performs due effects. They may have made others due. */
  async function work(): Promise<void> {
    const { now } = time;
    const until = new Date(now.getTime() + CLAIM_MS);
    for (const timer of await claimTimers(worker, { now, claimedUntil: until, limit: 50 })) {
      await actors.fire(timer);
    }
    for (const effect of await claimEffects(worker, { now, claimedUntil: until, limit: 50 })) {
      const perform = performers[effect.type];
      if (!perform) throw new Error(`No performer for ${effect.type}`);
      await perform(effect, { actors, sql: api, signal });
      await settleEffect(worker, effect, { state: "DONE", finishedAt: now, lastError: null });
    }
  }

  /** Time of the first work that is due until then; undefined: no work is due. */
  async function nextWork(until: Date): Promise<Date | undefined> {
    const [next] = await worker<{ dueAt: Date | null }[]>`
      select least(
        (select min(due_at) from timers),
        (select min(due_at) from effects where state = 'PENDING')
      ) as due_at`;
    return next?.dueAt && next.dueAt <= until ? next.dueAt : undefined;
  }

  async function openRequest(fields: object, by: Principal): Promise<ActorRef> {
    const ref = { kind: "gdpr_request" as const, storeId, id: requestId(requests++) };
    const { id } = await command(ref, "open", fields, by);
    return { ...ref, id };
  }

  return {
    async workUntil(daysAgo) {
      await settle?.(); // before the clock changes
      const until = new Date(end - daysAgo * DAY);
      for (let due: Date | undefined; (due = await nextWork(until)); await work()) {
        signal.throwIfAborted();
        if (due > time.now) time.now = due;
      }
      time.now = until;
      await settle?.();
    },
    async register() {
      const [index, { id, ...profile }] = customers.next().value!;
      const customer = { kind: "customer" as const, storeId, id };
      const system = systemPrincipal(storeId);
      await command(customer, "register", { ...profile, locale: "de-CH" }, system);
      await command(customer, "address.add", HOME, system);
      const groupId = groupIds[index % (groupIds.length + 1)];
      if (groupId) await command(customer, "group.assign", { groupId }, system);
      return customer;
    },
    open: ({ id: customerId }, right, fields = {}) =>
      openRequest({ customerId, right, ...fields }, {
        id: customerId,
        type: "CUSTOMER",
        storeId,
        roles: [],
        authenticatedAt: time.now,
      }),
    enter: (fields) => openRequest(fields, officer),
    send: async (ref, type, fields = {}, by = officer) => void await command(ref, type, fields, by),
    async confirm(request, ...participants) {
      for (const service of participants) {
        const fields = await confirmation(request, service, EVIDENCE[service] ?? "no records");
        await command(request, "participant.confirm", fields, { ...systemPrincipal(storeId), service });
      }
    },
  };
}

/** IDs of the story's requests, the same in each store. */
const requestId = (index: number) => `0190a000-0000-7000-8000-0000000003${String(index).padStart(2, "0")}`;

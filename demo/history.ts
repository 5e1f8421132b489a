/** History of the demo store: plays the sample story with the demo services, on the database of the service. */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { ActorRef, Commands, Performer } from "../actors/commands.ts";
import { endMemberships } from "../actors/customers/end_memberships.ts";
import { createRequestPerformers, type RequestKeys } from "../actors/gdpr/mod.ts";
import { confirmationBytes, evidenceDigest } from "../actors/gdpr/receipts/confirmation.ts";
import type { RequestSettings } from "../actors/gdpr/requests/behavior.ts";
import type { ParticipantClient } from "../actors/gdpr/types.ts";
import { createActors } from "../actors/mod.ts";
import type { Runtime } from "../actors/runtime/mod.ts";
import type { Sql } from "../db/connect.ts";
import { instant } from "../db/clock.ts";
import { deleteDoneEffects } from "../db/effects.ts";
import { deleteExpiredExports } from "../db/gdpr_exports.ts";
import { findRequest } from "../db/gdpr_requests.ts";
import { claimShard, findUnpublished, markPublished, relayOutbox } from "../db/outbox.ts";
import { readStore } from "../db/store_reader.ts";
import { systemPrincipal } from "../domain/principal.ts";
import { TOPICS } from "../events/topics.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import { DEMO } from "./ids.ts";
import type { GuestHashKey } from "./peers/email_hashes.ts";
import { HOLDINGS } from "./peers/holdings.ts";
import { NOTICE_TOPIC } from "./peers/notices.ts";
import { createDemoService } from "./peers/service.ts";
import { signAs } from "./peers/signing_keys.ts";
import { isSilent } from "./silence.ts";
import { createStage, DAY, type StoryTime } from "./stage.ts";
import { playStory, STORY_DAYS, STORY_GRACE_MS } from "./story.ts";

/** Actors whose clock is set. */
export interface Past {
  actors: Runtime<Commands>;
  time: StoryTime;
}

/**
 * Creates actors at the beginning of the story, whose requests do not depend on the configuration.
 *
 * @param api a pool of the role customer_api
 */
export function openPast(api: Sql, settings: RequestSettings): Past {
  const time = { now: new Date(Date.now() - (STORY_DAYS + 1) * DAY) };
  const requests = {
    ...settings,
    participants: Object.keys(HOLDINGS),
    graceMs: STORY_GRACE_MS,
    fourEyes: false,
    random: () => 0,
  };
  return { time, actors: createActors(api, { requests, clock: () => time.now }) };
}

export interface HistoryOptions {
  api: Sql;
  /** Pool of the role customer_worker. No worker and no relay may run on the database yet. */
  worker: Sql;
  keys: RequestKeys;
  /** Whether the history settles its own events. If not, a relay publishes them to Kafka later. */
  settlesEvents: boolean;
  /** Ends the history early. The store then has a part of it. */
  signal: AbortSignal;
}

export async function playHistory({ actors, time }: Past, options: HistoryOptions): Promise<void> {
  const { api, worker, keys, settlesEvents, signal } = options;
  const { storeId } = DEMO;
  const emailKeys = keys.hashKeys.map(({ id, participants }) => ({ id, key: participants }));
  const performers = createRequestPerformers(api, createClient(emailKeys), keys, { clock: () => time.now });
  await playStory(createStage({
    storeId,
    actors,
    time,
    performers: {
      "memberships.end": endMemberships,
      ...performers,
      "source.collect": unlessSilent(api, performers["source.collect"]),
    },
    worker,
    api,
    officer: { id: DEMO.staffId, type: "STAFF", storeId, roles: ["STORE_MANAGER"] },
    groupIds: DEMO.groupIds,
    confirmation: (request, service, evidence) => sign(api, request, { service, evidence }),
    ...(settlesEvents && { settle: () => settleEvents({ actors, time }, worker) }),
    signal,
  }));
  // Housekeeping would delete these first, and report it below the tour.
  await deleteDoneEffects(worker, instant(worker, undefined, -7 * DAY), ROWS);
  await deleteExpiredExports(worker, instant(worker), ROWS);
}

/** More rows than the story leaves. */
const ROWS = 10_000;

/** The demo services, without the network and without their log. */
function createClient(emailKeys: readonly GuestHashKey[]): ParticipantClient {
  const services = new Map(
    Object.keys(HOLDINGS).map((name) => [name, createDemoService(name, emailKeys)]),
  );
  return {
    async *collect(service, request) {
      for (
        const { cursor, data = {}, recordedAt, ...record } of services.get(service)?.collect(request) ?? []
      ) {
        const { category, purpose, retention, recipients } = record;
        const at = recordedAt && timestampDate(recordedAt).toISOString();
        yield { cursor, record: { category, purpose, retention, recipients, data, recordedAt: at } };
      }
    },
  };
}

/** Performs the effect unless the service is silent: then the collection fails, without an entry in the log. */
function unlessSilent(api: Sql, perform: Performer): Performer {
  return async (effect, context) => {
    const { storeId, actorId: requestId, params: { service = "" }, traceparent } = effect;
    const request = await readStore(api, storeId, (tx) => findRequest(tx, storeId, requestId));
    if (!request || !isSilent(service, request.customerId)) return await perform(effect, context);
    await context.actors.send({ kind: "gdpr_request", storeId, id: requestId }, {
      type: "source.failed",
      service,
      error: "UNREACHABLE",
    }, { by: systemPrincipal(storeId), traceparent });
    return "done";
  };
}

async function sign(
  api: Sql,
  { storeId, id: requestId }: ActorRef,
  { service, evidence }: { service: string; evidence: string },
) {
  const request = await readStore(api, storeId, (tx) => findRequest(tx, storeId, requestId));
  if (!request) throw new Error(`Cannot confirm request ${requestId}: it does not exist`);
  const evidenceSha256 = evidenceDigest(requestId, evidence).sha256;
  const { customerId } = request;
  const bytes = confirmationBytes({ storeId, customerId, requestId, service, evidenceSha256 });
  return { service, evidence, signature: await signAs(service, bytes) };
}

/**
 * Marks the events of the story as published and delivers the notices among them, instead of the demo services. Events of
 * callers, who already use the service, are later than the story.
 */
async function settleEvents({ actors, time }: Past, worker: Sql): Promise<void> {
  const selection = { topics: [...TOPICS.keys()], heldKeys: [] as string[] };
  for (;;) {
    const rows = await relayOutbox(worker, async (tx) => {
      const claim = await claimShard(tx, selection);
      if (!claim) return undefined;
      const waiting = await findUnpublished(tx, claim.part, selection, 1_000);
      const [own, others] = [
        waiting.filter(({ createdAt }) => createdAt <= time.now),
        waiting.filter(({ createdAt }) => createdAt > time.now),
      ];
      selection.heldKeys.push(...others.map(({ topic, key }) => `${topic} ${key}`));
      if (own.length > 0) await markPublished(tx, claim.part, own);
      return own;
    });
    if (!rows) return;
    for (const { storeId, topic, payload } of rows) {
      if (topic !== NOTICE_TOPIC) continue;
      const notice = { kind: "gdpr_notice" as const, storeId, id: String(payload.noticeId) };
      const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
      await actors.send(notice, { type: "deliver" }, context);
    }
  }
}

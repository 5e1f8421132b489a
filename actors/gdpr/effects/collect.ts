/** Performer of the effect `source.collect`: collects one participant's data about the data subject. */
import type { Performer } from "../../commands.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import { log } from "../../runtime/failures.ts";
import type { OwnDataRequest } from "./own_data.ts";
import { BATCH_LIMITS, type BatchLimits, inBatches } from "./batches.ts";
import {
  type Delivery,
  type ExportStore,
  ForeignDataError,
  OWN_DATA,
  type ParticipantClient,
  ParticipantError,
  type ParticipantHash,
  type RequestKey,
} from "../types.ts";

export interface CollectOptions {
  client: ParticipantClient;
  store: ExportStore;
  /** Records of this service; few enough for one transaction. */
  collectOwn(request: OwnDataRequest): AsyncIterable<Delivery>;
  findRequest(key: RequestKey): Promise<{ customerId: string; type: string } | undefined>;
  /** Hashes of every email that the customer has had, for participants. */
  findEmailHashes(key: { storeId: string; customerId: string }): Promise<ParticipantHash[]>;
  /** Limit for one participant, over all attempts. */
  maxRecords?: number;
  /** Limit in bytes of JSON for one participant, over all attempts. */
  maxBytes?: number;
  batch?: BatchLimits;
}

const MAX_RECORDS = 1_000_000;
const MAX_BYTES = 1024 ** 3;

/**
 * Resumes where the participant stopped, stores its records, and sends the outcome to the request. If the participant
 * fails, the effect is done: the request decides when to collect again.
 */
export function collectPerformer(options: CollectOptions): Performer {
  return async ({ storeId, actorId, params, traceparent }, { actors, signal }) => {
    const service = params.service ?? "";
    const run = async () => {
      const command = await collect(options, { storeId, requestId: actorId, traceparent }, service, signal)
        .then(
          () => ({ type: "source.received" as const, service }),
          (error) => {
            if (signal.aborted || !(error instanceof ParticipantError)) throw error;
            log.warn("{reason}: {message}, for request {actorId}", {
              reason: error.reason,
              message: error.message,
              actorId,
            });
            return { type: "source.failed" as const, service, error: error.reason };
          },
        );
      const context = { by: systemPrincipal(storeId), traceparent };
      await actors.send({ kind: "gdpr_request", storeId, id: actorId }, command, context);
    };
    try {
      await ignoreRefused(run()); // the state refuses it if the request was canceled, or an earlier attempt sent it
    } catch (error) {
      if (signal.aborted) return "more";
      throw error;
    }
    return "done";
  };
}

async function collect(
  options: CollectOptions,
  key: TracedRequest,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  const { store, findRequest } = options;
  const progress = await store.readProgressAndProlong(key, service);
  if (progress.complete) return;
  const request = await findRequest(key);
  if (!request) throw new Error(`Cannot collect for request ${key.requestId}: it does not exist`);
  const subject = { ...key, customerId: request.customerId, type: request.type };
  if (service === OWN_DATA) await collectOwn(options, subject, progress);
  else await collectFromParticipant(options, { ...subject, service }, progress, signal);
  await store.finish(key, service);
}

/** A request with the trace context of the effect. */
type TracedRequest = RequestKey & { traceparent: string | undefined };
type Subject = TracedRequest & { customerId: string; type: string };
type Progress = Awaited<ReturnType<ExportStore["readProgressAndProlong"]>>;

/** Stores all records in one transaction: a later snapshot may contain others, so a cursor into them has no meaning. */
async function collectOwn({ store, collectOwn }: CollectOptions, subject: Subject, progress: Progress) {
  if (progress.records > 0) return;
  const deliveries = await Array.fromAsync(collectOwn(subject));
  await store.append(subject, OWN_DATA, deliveries, { resumeAfter: undefined });
}

async function collectFromParticipant(
  options: CollectOptions,
  { service, ...subject }: Subject & { service: string },
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { client, store, findEmailHashes, batch: limits = BATCH_LIMITS } = options;
  const emailHashes = await findEmailHashes(subject);
  const { maxRecords = MAX_RECORDS, maxBytes = MAX_BYTES } = options;
  let { records, resumeAfter } = progress;
  const stop = new AbortController();
  const deliveries = client.collect(
    service,
    { ...subject, resumeAfter, emailHashes },
    AbortSignal.any([signal, stop.signal]),
  );
  try {
    for await (const batch of inBatches(deliveries, limits)) {
      records += batch.length;
      if (records > maxRecords) {
        throw new ParticipantError(
          "TOO_MUCH_DATA",
          `Cannot collect from ${service}: more than ${maxRecords} records`,
        );
      }
      await store.append(subject, service, batch, { resumeAfter, maxBytes });
      resumeAfter = batch.at(-1)?.cursor;
    }
  } catch (error) {
    if (error instanceof ForeignDataError) await store.discard(subject, service);
    throw error;
  } finally {
    stop.abort();
  }
}

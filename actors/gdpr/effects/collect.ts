/** How the effect `source.collect` is performed: one source is asked for what it holds about the subject. */
import type { Performer } from "../../commands.ts";
import { DomainError } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import { log } from "../../runtime/failures.ts";
import { BATCH_LIMITS, type BatchLimits, inBatches } from "./batches.ts";
import type { GuardedExportStore } from "../exports/store.ts";
import { type Delivery, OWN_DATA, PeerError, type Peers, type RequestKey } from "../vocabulary.ts";

export interface CollectOptions {
  peers: Peers;
  store: GuardedExportStore;
  /** What this service itself holds; small enough to be kept in one transaction. */
  collectOwn(request: RequestKey & { customerId: string }): AsyncIterable<Delivery>;
  findRequest(key: RequestKey): Promise<{ customerId: string } | undefined>;
  /** Of one source, however often it is asked. */
  maxRecords?: number;
  batch?: BatchLimits;
}

const MAX_RECORDS = 1_000_000;

/**
 * Goes on where the source has stopped, keeps what it delivers, and tells the request how that has ended. A source
 * that fails has been asked as far as this effect goes: the request decides when it is asked again.
 */
export function collectPerformer(options: CollectOptions): Performer {
  return async ({ storeId, actorId, params, traceparent }, { actors, signal }) => {
    const service = params.service ?? "";
    try {
      const command = await collect(options, { storeId, requestId: actorId, traceparent }, service, signal)
        .then(
          () => ({ type: "source.received" as const, service }),
          (error) => {
            if (signal.aborted || !(error instanceof PeerError)) throw error;
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
    } catch (error) {
      if (signal.aborted) return "more";
      // Cancelled in the meantime, or told before a crash.
      if (!(error instanceof DomainError && error.code === "REFUSED_IN_STATE")) throw error;
    }
    return "done";
  };
}

async function collect(
  options: CollectOptions,
  key: Asked,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  const { store, findRequest } = options;
  const progress = await store.progress(key, service);
  if (progress.complete) return;
  const request = await findRequest(key);
  if (!request) throw new Error(`Cannot collect for request ${key.requestId}: there is none`);
  const subject = { ...key, customerId: request.customerId };
  if (service === OWN_DATA) await collectOwn(options, subject, progress);
  else await collectFromPeer(options, subject, service, progress, signal);
  await store.finish(key, service);
}

/** A request, and where in which trace its source is asked. */
type Asked = RequestKey & { traceparent: string | undefined };
type Subject = Asked & { customerId: string };
type Progress = Awaited<ReturnType<GuardedExportStore["progress"]>>;

/** All or nothing: another moment may show other records. */
async function collectOwn({ store, collectOwn }: CollectOptions, subject: Subject, progress: Progress) {
  if (progress.records > 0) return;
  const deliveries = await Array.fromAsync(collectOwn(subject));
  await store.append(subject, OWN_DATA, deliveries, { resumeAfter: undefined });
}

async function collectFromPeer(
  options: CollectOptions,
  subject: Subject,
  service: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { peers, store, maxRecords = MAX_RECORDS, batch = BATCH_LIMITS } = options;
  let { records, resumeAfter } = progress;
  const leaving = new AbortController();
  const deliveries = peers.collect(
    service,
    { ...subject, resumeAfter },
    AbortSignal.any([signal, leaving.signal]),
  );
  try {
    for await (const arrived of inBatches(deliveries, batch)) {
      records += arrived.length;
      if (records > maxRecords) {
        throw new PeerError("TOO_MUCH_DATA", `Cannot collect from ${service}: over ${maxRecords} records`);
      }
      await store.append(subject, service, arrived, { resumeAfter });
      resumeAfter = arrived.at(-1)?.cursor;
    }
  } finally {
    leaving.abort();
  }
}

/** Client of the participants' DataSubjectService: streams their personal data, within limits. */
import { create, toBinary } from "@bufbuild/protobuf";
import { type ParticipantClient, ParticipantError } from "../actors/gdpr/types.ts";
import { Channel, pathOf } from "../grpc/mod.ts";
import {
  CollectCustomerDataRequestSchema,
  DataSubjectService,
} from "../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { instrumentCall } from "../telemetry/rpc.ts";
import { activeTraceparent } from "../telemetry/spans.ts";
import { failureOf, RecordOverdue, statusOf } from "./peer_failures.ts";
import { createRecordReader } from "./peer_records.ts";
import { withTimeout } from "../lib/timeout.ts";

/** Times in milliseconds. */
export interface PeerLimits {
  /** Time that a participant may take to send its first record. */
  firstRecordMs: number;
  nextRecordMs: number;
  /** Time of a whole call, including the time of its reader. */
  callMs: number;
  records: number;
  recordBytes: number;
  /** Total of all records of a call. */
  bytes: number;
}

export const PEER_LIMITS: PeerLimits = {
  firstRecordMs: 60_000,
  nextRecordMs: 30_000,
  callMs: 15 * 60_000,
  records: 1_000_000,
  recordBytes: 1024 ** 2,
  bytes: 1024 ** 3,
};

export interface PeerOptions {
  limits?: Partial<PeerLimits>;
  /**
   * PEM texts for `https:` participants: the authorities to trust instead of the usual ones, and the client
   * certificate.
   */
  tls?: { ca?: string; identity?: { certificate: string; key: string } };
  /** Returns the token that identifies this service, sent with every call. */
  token?(): Promise<string>;
}

const PATH = pathOf(DataSubjectService.method.collectCustomerData);

/**
 * Back-pressure pauses a call without a reader, so a participant is ahead of its reader by a few records at
 * most. Leaving an iteration early ends the call; so does aborting its signal, and the signal's reason is
 * thrown.
 *
 * @param urls by the participants' names; `http:` is unencrypted, `https:` uses TLS
 */
export function createPeers(
  urls: ReadonlyMap<string, URL>,
  options: PeerOptions = {},
): ParticipantClient & Disposable {
  const limits = { ...PEER_LIMITS, ...options.limits };
  const channels = new Map<string, Channel>();

  function urlOf(service: string): URL {
    const url = urls.get(service);
    if (url) return url;
    throw new ParticipantError(
      "NOT_CONFIGURED",
      `Cannot collect from ${service}: its URL is not configured`,
    );
  }

  function channelOf(service: string, url: URL): Channel {
    let channel = channels.get(service);
    if (!channel) channels.set(service, channel = openChannel(url, limits, options.tls));
    return channel;
  }

  return {
    async *collect(
      service,
      { customerId, storeId, requestId, resumeAfter, emailHashes, traceparent },
      signal,
    ) {
      const url = urlOf(service);
      const channel = channelOf(service, url);
      const request = create(CollectCustomerDataRequestSchema, {
        customerId,
        storeId,
        requestId,
        emailHashes: emailHashes.map(({ keyId, hash }) => ({ keyId, hash })),
        ...(resumeAfter === undefined ? {} : { resumeAfter }),
      });
      const metadata = await authorization(service, options.token);
      signal.throwIfAborted();
      const leaving = new AbortController();
      const watched = instrumentCall(PATH.slice(1), service, url);
      const responses = watched.within(() => {
        const parent = activeTraceparent() ?? traceparent;
        if (parent !== undefined) metadata.push("traceparent", parent);
        return channel.stream(PATH, toBinary(CollectCustomerDataRequestSchema, request), {
          metadata,
          timeoutMs: limits.callMs,
          signal: AbortSignal.any([signal, leaving.signal]),
        });
      });
      let ended = () => watched.end("CANCELLED");
      try {
        const read = createRecordReader({ customerId, storeId, resumeAfter });
        const total = { records: 0, bytes: 0 };
        for await (const bytes of inTime(responses, limits, () => leaving.abort())) {
          total.bytes += bytes.length;
          if (++total.records > limits.records || total.bytes > limits.bytes) {
            throw new ParticipantError(
              "TOO_MUCH_DATA",
              `Cannot collect from ${service}: it sends more than is taken`,
            );
          }
          yield read(bytes);
        }
        ended = () => watched.end("OK");
      } catch (error) {
        signal.throwIfAborted();
        const failure = failureOf(service, error);
        ended = () =>
          watched.end(statusOf(error), failure instanceof ParticipantError ? failure.reason : undefined);
        throw failure;
      } finally {
        ended();
        leaving.abort();
      }
    },

    [Symbol.dispose]() {
      for (const channel of channels.values()) channel[Symbol.dispose]();
    },
  };
}

/** Yields the responses as long as each arrives in time; the time of the reader does not count. */
async function* inTime(
  responses: AsyncIterator<Uint8Array>,
  { firstRecordMs, nextRecordMs }: PeerLimits,
  cancel: () => void,
): AsyncGenerator<Uint8Array> {
  for (let limitMs = firstRecordMs;; limitMs = nextRecordMs) {
    const { done, value } = await withTimeout(responses.next(), limitMs, () => {
      cancel();
      throw new RecordOverdue(limitMs);
    });
    if (done) return;
    yield value;
  }
}

/** Returns names and values in turn. */
async function authorization(service: string, token: PeerOptions["token"]): Promise<string[]> {
  if (!token) return [];
  try {
    return ["authorization", `Bearer ${await token()}`];
  } catch (cause) {
    throw new ParticipantError("UNREACHABLE", `Cannot collect from ${service}: no token is available`, {
      cause,
    });
  }
}

/** The channel connects at its first call. */
function openChannel(
  url: URL,
  { recordBytes }: PeerLimits,
  { ca, identity }: PeerOptions["tls"] = {},
): Channel {
  return new Channel(url, { messageBytes: recordBytes, tls: { ca, ...identity } });
}

/** The client of the peers' DataSubjectService: streams what they hold, within limits. */
import { create, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { PeerError, type Peers } from "../actors/gdpr/vocabulary.ts";
import {
  CollectCustomerDataRequestSchema,
  DataSubjectService,
} from "../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { watchCall } from "../telemetry/rpc.ts";
import { failureOf, NoGrpc, RecordOverdue, statusName } from "./peer_failures.ts";
import { createRecordReader } from "./peer_records.ts";

/** Times in milliseconds. */
export interface PeerLimits {
  /** How long a peer may take to gather what it holds. */
  firstRecordMs: number;
  nextRecordMs: number;
  /** For a call from its beginning to its end, the time that its reader takes included. */
  callMs: number;
  records: number;
  recordBytes: number;
  /** Of all records of a call. */
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
  /** For `https:` peers, PEM texts: whom to trust in place of the usual authorities, and what to show of ourselves. */
  tls?: { ca?: string; identity?: { certificate: string; key: string } };
  /** A token that peers know us by, sent with every call. */
  token?(): Promise<string>;
}

const METHOD = `${DataSubjectService.typeName}/${DataSubjectService.method.collectCustomerData.name}`;

/**
 * A call that nobody reads from is paused, so a peer is never ahead of its reader by more than a few records.
 * Leaving an iteration early ends the call; firing its signal as well, and the signal's reason is thrown.
 *
 * @param urls by the peers' names; `http:` goes unencrypted, `https:` over TLS
 */
export function createPeers(
  urls: ReadonlyMap<string, URL>,
  options: PeerOptions = {},
): Peers & AsyncDisposable {
  const limits = { ...PEER_LIMITS, ...options.limits };
  const clients = new Map<string, grpc.Client>();
  const calls = new Set<Call>();

  function clientOf(service: string): grpc.Client {
    const url = urls.get(service);
    if (!url) {
      throw new PeerError("NOT_CONFIGURED", `Cannot collect from ${service}: its URL is not configured`);
    }
    let client = clients.get(service);
    if (!client) clients.set(service, client = openClient(url, limits, options.tls));
    return client;
  }

  return {
    async *collect(service, { customerId, storeId, requestId, resumeAfter, traceparent }, signal) {
      const client = clientOf(service);
      const request = create(CollectCustomerDataRequestSchema, {
        customerId,
        storeId,
        requestId,
        ...(resumeAfter === undefined ? {} : { resumeAfter }),
      });
      const metadata = await authorization(service, options.token);
      if (traceparent !== undefined) metadata.set("traceparent", traceparent);
      signal.throwIfAborted();
      const watched = watchCall(METHOD, service);
      const call = watched.within(() =>
        client.makeServerStreamRequest(
          `/${METHOD}`,
          same,
          same,
          Buffer.from(toBinary(CollectCustomerDataRequestSchema, request)),
          metadata,
          { deadline: Date.now() + limits.callMs },
        )
      );
      let ended = () => watched.end("CANCELLED");
      const cancel = () => call.cancel();
      let foreign = false;
      call.once("metadata", (headers) => {
        foreign = !String(headers.get("content-type")[0]).startsWith("application/grpc");
        if (foreign) cancel();
      });
      call.on("error", () => {}); // after the last read nobody else listens
      signal.addEventListener("abort", cancel);
      calls.add(call);
      try {
        const read = createRecordReader(resumeAfter);
        const total = { records: 0, bytes: 0 };
        for await (const bytes of inTime(call, limits)) {
          total.bytes += bytes.length;
          if (++total.records > limits.records || total.bytes > limits.bytes) {
            throw new PeerError(
              "TOO_MUCH_DATA",
              `Cannot collect from ${service}: it sends more than is taken`,
            );
          }
          yield read(bytes);
        }
        ended = () => watched.end("OK");
      } catch (error) {
        signal.throwIfAborted();
        const failure = failureOf(service, foreign ? new NoGrpc() : error);
        ended = () =>
          watched.end(statusName(error), failure instanceof PeerError ? failure.reason : undefined);
        throw failure;
      } finally {
        ended();
        signal.removeEventListener("abort", cancel);
        calls.delete(call);
        call.cancel();
      }
    },

    [Symbol.asyncDispose]() {
      for (const call of calls) call.cancel();
      for (const client of clients.values()) client.close();
      return Promise.resolve();
    },
  };
}

type Call = grpc.ClientReadableStream<Buffer>;

/** What arrives, as long as each record keeps its time; the time that the reader takes does not count. */
async function* inTime(call: Call, { firstRecordMs, nextRecordMs }: PeerLimits): AsyncGenerator<Buffer> {
  const records: AsyncIterator<Buffer> = call[Symbol.asyncIterator]();
  for (let limitMs = firstRecordMs;; limitMs = nextRecordMs) {
    const { done, value } = await withLimit(records.next(), limitMs, () => call.cancel());
    if (done) return;
    yield value;
  }
}

/** @throws {RecordOverdue} it took longer, and `cancel` made it fail */
async function withLimit<T>(wanted: Promise<T>, limitMs: number, cancel: () => void): Promise<T> {
  let overdue: RecordOverdue | undefined;
  const timer = setTimeout(() => {
    overdue = new RecordOverdue(limitMs);
    cancel();
  }, limitMs);
  try {
    return await wanted;
  } catch (error) {
    throw overdue ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** Bytes in, bytes out: a message that cannot be read is told apart from a call that failed. */
function same(bytes: Buffer): Buffer {
  return bytes;
}

async function authorization(service: string, token: PeerOptions["token"]): Promise<grpc.Metadata> {
  const metadata = new grpc.Metadata();
  if (!token) return metadata;
  try {
    metadata.set("authorization", `Bearer ${await token()}`);
  } catch (cause) {
    throw new PeerError("UNREACHABLE", `Cannot collect from ${service}: no token for it can be had`, {
      cause,
    });
  }
  return metadata;
}

/** The channel connects at its first call. */
function openClient(url: URL, { recordBytes }: PeerLimits, tls: PeerOptions["tls"]): grpc.Client {
  const secure = url.protocol === "https:";
  const address = `${url.hostname}:${url.port || (secure ? 443 : 80)}`;
  return new grpc.Client(address, secure ? tlsOf(tls) : grpc.credentials.createInsecure(), {
    "grpc.max_receive_message_length": recordBytes,
    // Whoever asks decides when to ask again; a peer that is back is found at once.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    // Peers are inside: neither the environment's proxy nor a DNS record may lead or configure the call.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
  });
}

function tlsOf({ ca, identity }: NonNullable<PeerOptions["tls"]> = {}): grpc.ChannelCredentials {
  const pem = (text: string | undefined) => text === undefined ? null : Buffer.from(text);
  return grpc.credentials.createSsl(pem(ca), pem(identity?.key), pem(identity?.certificate));
}

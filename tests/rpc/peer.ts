/** A peer whose every answer a test writes: a real gRPC server of DataSubjectService. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  type CollectCustomerDataRequest,
  CollectCustomerDataRequestSchema,
  CollectCustomerDataResponseSchema,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { listen } from "../../rpc/listener.ts";

export type PeerRecord = MessageInitShape<typeof CollectCustomerDataResponseSchema>;

/** One call, as the peer sees it. */
export interface Call {
  request: CollectCustomerDataRequest;
  metadata: grpc.Metadata;
  /** Sends a record, or bytes that no honest peer would; returns when there is room for the next one. */
  send(record: PeerRecord | Uint8Array): Promise<void>;
  /** Answers with a status in place of an end. */
  fail(code: grpc.status, details: string): void;
  /** Resolves when the caller is gone. */
  cancelled: Promise<void>;
}

export interface TestPeer extends AsyncDisposable {
  url: URL;
  /** What each call has asked to go on behind. */
  resumedAfter: (string | undefined)[];
  /** Ends every connection. */
  cut(): void;
  /** Ends every connection and listens no more. */
  goAway(): Promise<void>;
  /** Listens again, where it did before. */
  comeBack(): Promise<void>;
}

/**
 * @param answer ends the stream when it returns, unless it has failed; `nth` counts the calls from 1
 * @param tls PEM texts; with `clientCa`, clients without a certificate of it are refused in the handshake
 */
export async function startPeer(
  answer: (call: Call, nth: number) => Promise<void> | void,
  tls?: { certificate: string; key: string; clientCa?: string },
): Promise<TestPeer> {
  const server = new grpc.Server();
  const resumedAfter: (string | undefined)[] = [];
  const same = (bytes: Buffer) => bytes;
  server.addService({
    collect: {
      path: "/io.shopstar.customer.v1.DataSubjectService/CollectCustomerData",
      requestStream: false,
      responseStream: true,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  }, {
    collect(stream: grpc.ServerWritableStream<Buffer, Buffer>) {
      const request = fromBinary(CollectCustomerDataRequestSchema, stream.request);
      const cancelled = Promise.withResolvers<void>();
      stream.once("cancelled", () => cancelled.resolve());
      let failed = false;
      const call: Call = {
        request,
        metadata: stream.metadata,
        cancelled: cancelled.promise,
        async send(record) {
          const bytes = record instanceof Uint8Array ? record : encode(record);
          if (!stream.write(Buffer.from(bytes)) && !stream.cancelled) {
            await Promise.race([once(stream, "drain"), cancelled.promise]);
          }
        },
        fail(code, details) {
          failed = true;
          stream.emit("error", { code, details });
        },
      };
      (async () => {
        await answer(call, resumedAfter.push(request.resumeAfter));
        if (!failed && !stream.cancelled) stream.end();
      })();
    },
  });
  const credentials = tls
    // Without an authority for clients, Deno serves no TLS at all.
    ? grpc.ServerCredentials.createSsl(Buffer.from(tls.clientCa ?? tls.certificate), [{
      private_key: Buffer.from(tls.key),
      cert_chain: Buffer.from(tls.certificate),
    }], tls.clientCa !== undefined)
    : grpc.ServerCredentials.createInsecure();
  const injector = server.createConnectionInjector(credentials);
  const open = (port: number) => listen("127.0.0.1", port, (socket) => injector.injectConnection(socket));
  let listener = await open(0);
  const { port } = listener;
  let here = true;
  async function goAway() {
    if (!here) return;
    here = false;
    const drained = listener.drained();
    listener.cut();
    await drained;
  }
  return {
    url: new URL(`${tls ? "https" : "http"}://localhost:${port}`),
    resumedAfter,
    cut: () => listener.cut(),
    goAway,
    async comeBack() {
      listener = await open(port);
      here = true;
    },
    async [Symbol.asyncDispose]() {
      await goAway();
      server.forceShutdown();
    },
  };
}

export function encode(record: PeerRecord): Uint8Array {
  return toBinary(CollectCustomerDataResponseSchema, create(CollectCustomerDataResponseSchema, record));
}

/** A valid record; its cursor is the number in five digits. */
export function order(number: number, fields: PeerRecord = {}): PeerRecord {
  return {
    cursor: cursorOf(number),
    category: "order",
    purpose: "contract",
    retention: "ten years",
    data: { number },
    ...fields,
  };
}

export function cursorOf(number: number): string {
  return String(number).padStart(5, "0");
}

/** peer_process.ts, started. */
export async function startPeerProcess(records: number): Promise<AsyncDisposable & { url: URL }> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("peer_process.ts", import.meta.url).pathname, String(records)],
    stdout: "piped",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await lines.read();
  return {
    url: new URL(value ?? ""),
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await lines.cancel();
      await process.status;
    },
  };
}

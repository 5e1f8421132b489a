/** Participant with answers written by a test: a real gRPC server of DataSubjectService. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Call as ServedCall,
  GrpcError,
  type Metadata,
  pathOf,
  serve,
  type StatusName,
} from "../../grpc/mod.ts";
import {
  type CollectCustomerDataRequest,
  CollectCustomerDataRequestSchema,
  CollectCustomerDataResponseSchema,
  DataSubjectService,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";

export type PeerRecord = MessageInitShape<typeof CollectCustomerDataResponseSchema>;

/** One call, as the participant sees it. */
export interface Call {
  request: CollectCustomerDataRequest;
  metadata: Metadata;
  /**
   * Sends a record, or invalid bytes; returns when there is room for the next one. A record without a customer and a
   * store gets those of the request.
   */
  send(record: PeerRecord | Uint8Array): Promise<void>;
  /** Answers with a status instead of a regular end. */
  fail(status: StatusName, message: string): void;
  /** Resolves when the caller has gone. */
  canceled: Promise<void>;
}

export interface TestPeer extends AsyncDisposable {
  url: URL;
  /** Cursor after which each call resumes. */
  resumedAfter: (string | undefined)[];
  /** Ends every connection. */
  cut(): Promise<void>;
  /** Ends every connection and stops listening. */
  goAway(): Promise<void>;
  /** Listens again, on the same port. */
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
  const resumedAfter: (string | undefined)[] = [];

  async function* collect(requests: AsyncIterable<Uint8Array>, { metadata, signal }: ServedCall) {
    const [bytes] = await Array.fromAsync(requests);
    const request = fromBinary(CollectCustomerDataRequestSchema, bytes!);
    const sending = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 1 });
    const writer = sending.writable.getWriter();
    const canceled = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    let failure: GrpcError | undefined;
    const call: Call = {
      request,
      metadata,
      canceled,
      async send(record) {
        const { customerId, storeId } = request;
        const written = writer.write(
          record instanceof Uint8Array ? record : encode({ customerId, storeId, ...record }),
        );
        written.catch(() => {});
        await Promise.race([writer.ready, canceled]);
      },
      fail(status, message) {
        failure = new GrpcError(status, message);
      },
    };
    const answered = (async () => {
      await answer(call, resumedAfter.push(request.resumeAfter));
      if (!signal.aborted) await writer.close();
    })();
    answered.catch(() => {});
    signal.addEventListener("abort", () => writer.abort().catch(() => {}));
    try {
      yield* sending.readable;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (failure) throw failure;
  }

  const open = (port: number) =>
    serve({
      hostname: "127.0.0.1",
      port,
      tls,
      methods: {
        [pathOf(DataSubjectService.method.collectCustomerData)]: { kind: "stream", handle: collect },
      },
    });
  let server = await open(0);
  const { port } = server;
  const goAway = () => server.close(0);
  const comeBack = async () => void (server = await open(port));
  return {
    url: new URL(`${tls ? "https" : "http"}://localhost:${port}`),
    resumedAfter,
    async cut() {
      await goAway();
      await comeBack();
    },
    goAway,
    comeBack,
    [Symbol.asyncDispose]: goAway,
  };
}

export function encode(record: PeerRecord): Uint8Array {
  return toBinary(CollectCustomerDataResponseSchema, create(CollectCustomerDataResponseSchema, record));
}

/** Returns a valid record; its cursor is the number in five digits. */
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

/** Starts peer_process.ts. */
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

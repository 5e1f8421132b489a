/**
 * The service that foreign clients are tried with. Its messages are plain bytes, so that a client in any language needs
 * no generated code:
 *
 * - `Unary` returns its request, and `PingPong` each of its requests.
 * - `Status` fails with the code in the first byte and the message in the others, UTF-8.
 * - `Sleep` waits for so many milliseconds as its four bytes say, most significant first, or until the caller is gone.
 * - `Stream` answers with as many messages as its first four bytes say, of as many bytes as the next four say.
 * - `Running` returns in four bytes how many other calls are under way, those that a handler has not yet left.
 *
 * Every method returns the header `x-echo-initial` as a header and `x-echo-trailing-bin` as a trailer.
 */
import { type Call, GrpcError, type Method } from "../../grpc/mod.ts";
import { statusName } from "../../grpc/status.ts";

export const ECHO_SERVICE = "/echo.v1.Echo/";

const EMPTY = new Uint8Array(0);

let running = 0;

const METHODS: Record<string, Method> = {
  [`${ECHO_SERVICE}Unary`]: {
    kind: "unary",
    handle(request, call) {
      echoMetadata(call);
      return request;
    },
  },
  [`${ECHO_SERVICE}Status`]: {
    kind: "unary",
    handle(request) {
      throw new GrpcError(statusName(request[0] ?? 0), new TextDecoder().decode(request.subarray(1)));
    },
  },
  [`${ECHO_SERVICE}Sleep`]: {
    kind: "unary",
    async handle(request, { signal }) {
      await elapsed(uint32(request, 0), signal);
      return EMPTY;
    },
  },
  [`${ECHO_SERVICE}Stream`]: {
    kind: "stream",
    async *handle(requests, call) {
      echoMetadata(call);
      for await (const request of requests) {
        const message = new Uint8Array(uint32(request, 4));
        for (let sent = 0; sent < uint32(request, 0); sent++) yield message;
      }
    },
  },
  [`${ECHO_SERVICE}PingPong`]: {
    kind: "stream",
    async *handle(requests, call) {
      echoMetadata(call);
      yield* requests;
    },
  },
};

export const ECHO_METHODS: Record<string, Method> = {
  ...Object.fromEntries(Object.entries(METHODS).map(([path, method]) => [path, counted(method)])),
  [`${ECHO_SERVICE}Running`]: {
    kind: "unary",
    handle() {
      const answer = new Uint8Array(4);
      new DataView(answer.buffer).setUint32(0, running);
      return answer;
    },
  },
};

function counted(method: Method): Method {
  if (method.kind === "unary") {
    return {
      kind: "unary",
      async handle(request, call) {
        running++;
        try {
          return await method.handle(request, call);
        } finally {
          running--;
        }
      },
    };
  }
  return {
    kind: "stream",
    async *handle(requests, call) {
      running++;
      try {
        yield* method.handle(requests, call);
      } finally {
        running--;
      }
    },
  };
}

function echoMetadata(call: Call): void {
  const { metadata } = call;
  const [initial, trailing] = [metadata.get("x-echo-initial"), metadata.get("x-echo-trailing-bin")];
  if (initial !== undefined) call.setHeader("x-echo-initial", initial);
  if (trailing !== undefined) call.setTrailer("x-echo-trailing-bin", trailing);
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes.length < at + 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

function elapsed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

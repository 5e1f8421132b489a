/** Minimal gRPC client for unary calls on one connection, with little overhead for measurements. */
import {
  ACK,
  concat,
  DATA,
  END_STREAM,
  type Fields,
  frame,
  frameReader,
  GOAWAY,
  grpcMessage,
  HEADERS,
  PING,
  ping,
  RST_STREAM,
  SETTINGS,
  windowUpdate,
} from "./frames.ts";
import { headers, OPENING } from "./attacks/requests.ts";

export interface Connection {
  /** False once the server refuses calls on it. */
  usable: boolean;
  /** @throws {Error} the call fails, or its connection ends */
  call(fields: Fields, message: Uint8Array): Promise<void>;
  close(): void;
}

/** @throws {Error} the server accepts no connection */
export async function connectTo(port: number): Promise<Connection> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  socket.setNoDelay(true);
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  const answered = new Set<number>();
  let usable = true;
  let stream = -1;
  let written = Promise.resolve();
  const write = (bytes: Uint8Array) =>
    written = written.then(async () => {
      for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    });
  const fail = (reason: string) => {
    usable = false;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  const end = (id: number, ok: boolean) => {
    if (ok) waiting.get(id)?.resolve();
    else waiting.get(id)?.reject(new Error("the call fails"));
    waiting.delete(id);
    answered.delete(id);
  };
  const read = async () => {
    const frames = frameReader();
    const buffer = new Uint8Array(65_536);
    for (let length = await socket.read(buffer); length !== null; length = await socket.read(buffer)) {
      for (const { type, flags, stream, payload } of frames(buffer.subarray(0, length))) {
        // A failed call has no message, so success is known without parsing HPACK.
        if (type === DATA && payload.length > 0) {
          answered.add(stream);
          await write(windowUpdate(0, payload.length));
        }
        if (type === RST_STREAM) end(stream, false);
        if ((type === DATA || type === HEADERS) && flags & END_STREAM) end(stream, answered.has(stream));
        if (type === SETTINGS && !(flags & ACK)) await write(frame(SETTINGS, ACK, 0));
        if (type === PING && !(flags & ACK)) await write(ping(payload).with(4, ACK));
        if (type === GOAWAY) usable = false;
      }
    }
  };
  read().then(() => fail("the server closes the connection"), (error) => fail(String(error)));
  await write(OPENING);
  return {
    get usable() {
      return usable;
    },
    call(fields, message) {
      stream += 2;
      const outcome = Promise.withResolvers<void>();
      waiting.set(stream, outcome);
      const bytes = concat([headers(stream, fields), frame(DATA, END_STREAM, stream, grpcMessage(message))]);
      write(bytes).catch((error) => fail(String(error)));
      return outcome.promise;
    },
    close() {
      try {
        socket.close();
      } catch { /* closed already */ }
    },
  };
}

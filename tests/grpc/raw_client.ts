/** Raw HTTP/2 client: sends frames on its own connection and describes the responses in words. */
import {
  ACK,
  concat,
  DATA,
  END_STREAM,
  type Frame,
  frame,
  frameReader,
  GOAWAY,
  HEADERS,
  PING,
  ping,
  PREFACE,
  readUint32,
  RST_STREAM,
  SETTINGS,
  settings,
  windowUpdate,
} from "../attack/frames.ts";
import { hpackReader } from "./hpack_reader.ts";

const PATIENCE_MS = 2_000;
const MARK = new TextEncoder().encode("is alive");

/**
 * Response of a server to a request on stream 1, such as "200, grpc-status 0, 1 message; lives". `lives` or `ends` is
 * about the connection.
 *
 * @param request frames, whole or not
 */
export async function observe(port: number, request: Uint8Array): Promise<string> {
  using client = await openRaw(port);
  await client.send(request);
  const said = await client.until(({ stream, type, flags }) =>
    stream === 1 && (type === RST_STREAM || (type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0)
  );
  const lives = await client.isAlive();
  return `${describe(said)}; ${lives ? "lives" : "ends"}`;
}

export interface Arrived extends Frame {
  /** Fields of a header block. */
  fields: ReadonlyMap<string, string> | undefined;
}

export interface RawClient extends Disposable {
  send(bytes: Uint8Array): Promise<void>;
  /** The frames that arrive up to the one that is looked for, the end of the connection, or some seconds of silence. */
  until(last: (frame: Arrived) => boolean): Promise<Arrived[]>;
  /** Whether the server answers a PING. */
  isAlive(): Promise<boolean>;
  /** Resolves once the server has ended the connection. */
  ended: Promise<void>;
}

export interface RawOptions {
  /** Sent at once; by default the preface, SETTINGS, and the acknowledgement of the server's. */
  opening?: Uint8Array;
  /** Time that `until` waits for its frame, in milliseconds. */
  patienceMs?: number;
}

const OPENING = concat([PREFACE, settings(), windowUpdate(0, 1_000_000), frame(SETTINGS, ACK, 0)]);

export async function openRaw(
  port: number,
  { opening = OPENING, patienceMs = PATIENCE_MS }: RawOptions = {},
): Promise<RawClient> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  socket.setNoDelay(true);
  const arrived: Arrived[] = [];
  const readFields = hpackReader();
  let ended = false;
  let progress = Promise.withResolvers<void>();
  const read = async () => {
    const frames = frameReader();
    const buffer = new Uint8Array(65_536);
    for (let length = await socket.read(buffer); length !== null; length = await socket.read(buffer)) {
      for (const frame of frames(buffer.subarray(0, length))) {
        const { type, flags, payload } = frame;
        const block = flags & 0x20 ? payload.subarray(5) : payload;
        arrived.push({ ...frame, fields: type === HEADERS ? new Map(readFields(block)) : undefined });
      }
      progress.resolve();
      progress = Promise.withResolvers();
    }
  };
  const reading = read().catch(() => {}).finally(() => {
    ended = true;
    progress.resolve();
  });
  const send = async (bytes: Uint8Array) => {
    try {
      for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    } catch { /* the server has closed: its last frames have the reason */ }
  };
  await send(opening);
  let at = 0;
  const until: RawClient["until"] = async (last) => {
    const from = at;
    const silence = Promise.withResolvers<"silence">();
    const timer = setTimeout(silence.resolve, patienceMs, "silence");
    try {
      for (;;) {
        while (at < arrived.length) if (last(arrived[at++]!)) return arrived.slice(from, at);
        if (ended || await Promise.race([progress.promise, silence.promise]) === "silence") {
          return arrived.slice(from, at);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    send,
    until,
    ended: reading,
    async isAlive() {
      await send(ping(MARK));
      const isAnswer = ({ type, flags, payload }: Frame) =>
        type === PING && (flags & ACK) !== 0 && payload.every((byte, at) => byte === MARK[at]);
      return (await until(isAnswer)).some(isAnswer);
    },
    [Symbol.dispose]() {
      try {
        socket.close();
      } catch { /* closed by the server */ }
    },
  };
}

const NAMES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
];

function describe(frames: readonly Arrived[]): string {
  const parts: string[] = [];
  let messages = 0;
  for (const { type, payload, fields } of frames) {
    if (fields) {
      const [status, grpcStatus] = [fields.get(":status"), fields.get("grpc-status")];
      if (status !== undefined) parts.push(status);
      if (messages > 0) parts.push(`${messages} message`);
      if (grpcStatus !== undefined) parts.push(`grpc-status ${grpcStatus}`);
    }
    if (type === DATA && payload.length > 0) messages++;
    if (type === RST_STREAM) parts.push(`RST_STREAM ${NAMES[readUint32(payload, 0)]}`);
    if (type === GOAWAY) parts.push(`GOAWAY ${NAMES[readUint32(payload, 4)]}`);
  }
  return parts.join(", ") || "nothing";
}

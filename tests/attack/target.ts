/** Attacked port: rate-limited connections and counts of their outcomes. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import {
  ACK,
  DATA,
  DEFAULT_WINDOW,
  frame,
  frameReader,
  GOAWAY,
  INITIAL_WINDOW_SIZE,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
} from "./frames.ts";

export interface Tokens {
  customer: string;
  manager: string;
}

export interface TargetOptions {
  port: number;
  /** Local address of the connections. */
  from: string;
  tokens: Tokens;
  /** Ends the attack. */
  signal: AbortSignal;
  /** Maximum send rate, so that the attack measures the service and not the attacker. */
  bytesPerSecond: number;
  connectionsPerSecond: number;
}

/** Counts of an attack. */
export interface Counts {
  connections: number;
  /** Connections that failed or that the server closed. */
  ended: number;
  /** GOAWAY frames with an error code. */
  goaways: number;
  bytes: number;
  /** Responses by status, if the attack counts them. */
  answers: Record<string, number>;
}

export type Target = ReturnType<typeof createTarget>;

export function createTarget(options: TargetOptions) {
  const { port, from, tokens, signal } = options;
  const counts: Counts = { connections: 0, ended: 0, goaways: 0, bytes: 0, answers: {} };
  const sending = createPace(options.bytesPerSecond, signal);
  const connecting = createPace(options.connectionsPerSecond, signal);
  const wires = new Set<Wire>();
  return {
    port,
    tokens,
    signal,
    counts,
    /** Undefined if the server refuses the connection or the attack has ended. */
    async connect(reads = true): Promise<Wire | undefined> {
      if (!await connecting(1)) return undefined;
      const wire = await openWire({ port, from, reads, counts, sending });
      if (wire) wires.add(wire);
      return wire;
    },
    /** Opens `count` connections and calls `work` with each. They stay open until the attack ends. */
    async crowd(count: number, work: (wire: Wire) => Promise<unknown>, reads = true): Promise<void> {
      const working: Promise<unknown>[] = [];
      for (let made = 0; made < count && !signal.aborted; made++) {
        const wire = await this.connect(reads);
        if (wire) working.push(work(wire));
      }
      await Promise.all(working);
      await this.ended();
    },
    /** Keeps `count` connections busy with `work` and replaces each as soon as it has ended. */
    async keep(count: number, work: (wire: Wire) => Promise<unknown>, reads = true): Promise<void> {
      const one = async () => {
        while (!signal.aborted) {
          const wire = await this.connect(reads);
          if (!wire) continue;
          await work(wire);
          wire.close();
          wires.delete(wire);
        }
      };
      await Promise.all(Array.from({ length: count }, one));
    },
    /** Resolves when the attack has ended. */
    ended(): Promise<void> {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
    /** Sends a request over fetch and counts its status. */
    async fetch(path: string, init: RequestInit): Promise<void> {
      try {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, signal });
        counts.bytes += JSON.stringify(init).length;
        await response.body?.pipeTo(new WritableStream());
        counts.answers[response.status] = (counts.answers[response.status] ?? 0) + 1;
      } catch {
        counts.ended++;
      }
    },
    [Symbol.dispose]() {
      for (const wire of wires) wire.close();
    },
  };
}

/** Resolves to true when `amount` may be sent, to false when the attack has ended. */
type Pace = (amount: number) => Promise<boolean>;

const REST_MS = 5;

function createPace(perSecond: number, signal: AbortSignal): Pace {
  let free = performance.now();
  let rested = free;
  return async (amount) => {
    const now = performance.now();
    free = Math.max(free, now - 100) + amount / perSecond * 1_000;
    // Also when late, so that timers and reads can run.
    if (free > now || now - rested > REST_MS) {
      await pause(Math.max(0, free - now));
      rested = performance.now();
    }
    return !signal.aborted;
  };
}

export interface Wire {
  closed: boolean;
  /** Flow-control windows: 0 is the connection, other numbers are streams. HTTP/2 only. */
  credit(stream: number): number;
  /** Waits for the rate limit and the socket. Resolves to false if the connection has ended. */
  send(bytes: Uint8Array): Promise<boolean>;
  /** Counts payload of DATA against the windows. */
  spend(stream: number, bytes: number): void;
  /** Resolves when the connection has ended. */
  over: Promise<void>;
  close(): void;
}

interface WireOptions {
  port: number;
  from: string;
  reads: boolean;
  counts: Counts;
  sending: Pace;
}

async function openWire({ port, from, reads, counts, sending }: WireOptions): Promise<Wire | undefined> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from, noDelay: true });
  counts.connections++;
  let closed = false;
  let mine = false;
  const over = Promise.withResolvers<void>();
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
    if (!mine) counts.ended++;
    over.resolve();
  });
  const windows = watchWindows(counts, () => socket.write(ACKNOWLEDGED));
  if (reads) socket.on("data", (chunk: Uint8Array) => windows.read(chunk));
  await Promise.race([new Promise<void>((resolve) => socket.once("connect", () => resolve())), over.promise]);
  if (closed) return undefined;
  return {
    get closed() {
      return closed;
    },
    over: over.promise,
    credit: windows.credit,
    spend: windows.spend,
    async send(bytes) {
      if (!await sending(bytes.length) || closed) return false;
      counts.bytes += bytes.length;
      if (!socket.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
        await Promise.race([drained(socket), over.promise, pause(1_000)]);
      }
      return !closed;
    },
    close() {
      mine = true;
      socket.destroy();
    },
  };
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("drain", () => resolve()));
}

const ACKNOWLEDGED = Buffer.from(frame(SETTINGS, ACK, 0));

/** Follows the server's flow control, acknowledges its SETTINGS as any client does, and counts its GOAWAYs. */
function watchWindows(counts: Counts, acknowledge: () => void) {
  const frames = frameReader();
  const windows = new Map<number, number>([[0, DEFAULT_WINDOW]]);
  let initial = DEFAULT_WINDOW;
  let isHttp2: boolean | undefined;
  return {
    credit: (stream: number) => windows.get(stream) ?? initial,
    spend(stream: number, bytes: number) {
      for (const id of [0, stream]) windows.set(id, (windows.get(id) ?? initial) - bytes);
    },
    read(chunk: Uint8Array) {
      isHttp2 ??= chunk[3] === SETTINGS; // the server's first frame
      if (!isHttp2) return;
      for (const { type, flags, stream, payload } of frames(chunk)) {
        if (type === WINDOW_UPDATE) {
          windows.set(stream, (windows.get(stream) ?? initial) + readUint32(payload, 0));
        }
        if (type === GOAWAY && readUint32(payload, 4) !== 0) counts.goaways++;
        if (type === DATA && flags & 1) windows.delete(stream);
        if (type === SETTINGS && !(flags & ACK)) {
          acknowledge();
          for (let at = 0; at + 6 <= payload.length; at += 6) {
            if (payload[at + 1] === INITIAL_WINDOW_SIZE) initial = readUint32(payload, at + 2);
          }
        }
      }
    },
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

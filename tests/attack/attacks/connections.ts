/** Attacks with connections that do little or nothing. */
import { PREFACE } from "../frames.ts";
import type { Attack } from "./attack.ts";
import { OPENING } from "./requests.ts";

function connections(port: Attack["port"]): Attack[] {
  return [
    {
      name: `${port}-silent`,
      sends: "1,000 connections that send the preface and SETTINGS, and nothing else",
      port,
      run: (target) => target.crowd(1_000, (wire) => wire.send(OPENING)),
    },
    {
      name: `${port}-half-open`,
      sends: "1,000 connections that send nothing",
      port,
      run: (target) => target.crowd(1_000, () => Promise.resolve()),
    },
    {
      name: `${port}-half-preface`,
      sends: "1,000 connections that send half of the preface",
      port,
      run: (target) => target.crowd(1_000, (wire) => wire.send(PREFACE.subarray(0, 12))),
    },
    {
      name: `${port}-churn`,
      sends: "500 connections a second that begin and go",
      port,
      run: (target) => target.keep(8, (wire) => wire.send(OPENING)),
    },
  ];
}

export const CONNECTIONS: Attack[] = [...connections("http"), ...connections("grpc")];

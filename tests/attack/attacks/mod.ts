/** All attacks, in the order of the table. */
import type { Attack } from "./attack.ts";
import { BODIES } from "./bodies.ts";
import { CONNECTIONS } from "./connections.ts";
import { DOCUMENTS } from "./documents.ts";
import { FLOODS } from "./floods.ts";
import { GRPC } from "./grpc.ts";

export type { Attack } from "./attack.ts";

const ELSEWHERE: Attack[] = [...BODIES, ...DOCUMENTS, ...CONNECTIONS, ...FLOODS, ...GRPC];

/** Attacks against per-address limits, for which it matters who shares the attacker's address. */
const ALSO_FROM_THE_SAME_ADDRESS = [
  "grpc-silent",
  "grpc-half-open",
  "grpc-churn",
  "grpc-rapid-reset-reconnect",
  "grpc-health-watch",
];

export const ATTACKS: readonly Attack[] = [
  ...ELSEWHERE,
  ...ELSEWHERE.filter(({ name }) => ALSO_FROM_THE_SAME_ADDRESS.includes(name)).map((attack) => ({
    ...attack,
    name: `${attack.name}-same-address`,
    sameAddress: true,
  })),
];

export function findAttack(name: string): Attack | undefined {
  return ATTACKS.find((attack) => attack.name === name);
}

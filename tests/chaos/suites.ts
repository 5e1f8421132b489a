/** Suites of faults by name. */
import { FAULTS } from "./faults.ts";
import { GATE } from "./gate.ts";
import { injectRandom } from "./schedule.ts";
import type { Suite } from "./suite.ts";

export interface SuiteArguments {
  minutes: number;
  /** Number of random faults at a time. */
  lanes: number;
}

/** What the suites have in common, unless they say otherwise. */
const USUAL = {
  clients: 10,
  pauseMs: 120,
  misbehavior: 0.25,
  opensRequests: true,
  leastOperations: 90,
  recoveryMs: 10_000,
  settleMs: 120_000,
};

export const SUITES: Readonly<Record<string, (args: SuiteArguments) => Suite>> = {
  random: ({ minutes, lanes }) => ({
    ...USUAL,
    name: lanes > 1 ? "pairs" : "random",
    workers: [1, 1, 2],
    inject: (chaos) => injectRandom(chaos, FAULTS, { lanes, until: Date.now() + minutes * 60_000 }),
  }),
  gate: () => GATE,
};

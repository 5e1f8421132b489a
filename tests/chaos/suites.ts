/** Suites of faults by name. */
import { injectFullDisks, mountDisk, moveTables } from "./disk_suite.ts";
import { type FaultKind, FAULTS } from "./faults.ts";
import { SHORT_SUITE } from "./short_suite.ts";
import { injectRandom } from "./schedule.ts";
import { injectFailovers } from "./standby_suite.ts";
import type { Suite } from "./suite.ts";

export interface SuiteArguments {
  minutes: number;
  /** Number of random faults at a time. */
  lanes: number;
  /** Random faults. */
  kinds: readonly FaultKind[];
  /** Ends what the suite has started. */
  stack: AsyncDisposableStack;
}

/** What the suites have in common, unless they say otherwise. */
const USUAL = {
  workers: [1, 1, 2],
  clients: 10,
  pauseMs: 120,
  misbehavior: 0.25,
  opensRequests: true,
  leastOperations: 90,
  recoveryMs: 20_000,
  settleMs: 120_000,
};

const DAY = 86_400_000;
const GRACE_DAYS = 14;
const SHIFTED = new URL("./shifted_clock.ts", import.meta.url).pathname;

export const SUITES: Readonly<Record<string, (args: SuiteArguments) => Promise<Suite>>> = {
  random: ({ minutes, lanes, kinds }) =>
    Promise.resolve({
      ...USUAL,
      name: lanes > 1 ? "pairs" : "random",
      inject: (chaos) => injectRandom(chaos, kinds, { lanes, until: Date.now() + minutes * 60_000 }),
    }),
  standby: () => Promise.resolve({ ...USUAL, name: "standby", workers: [1, 1], inject: injectFailovers }),
  clock: ({ minutes }) => {
    const kinds = FAULTS.filter(({ resource, affects }) => resource === "replica" && !affects);
    return Promise.resolve({
      ...USUAL,
      name: "clock",
      workers: [1, 1, 1],
      repeated: 0.4,
      graceMs: GRACE_DAYS * DAY,
      env: { GDPR_GRACE: `${GRACE_DAYS}d` },
      envOf: {
        b: { CHAOS_CLOCK_SHIFT_MS: String((GRACE_DAYS + 1) * DAY) },
        c: { CHAOS_CLOCK_SHIFT_MS: String(-3_600_000) },
      },
      preloadOf: { b: SHIFTED, c: SHIFTED },
      inject: (chaos) => injectRandom(chaos, kinds, { lanes: 1, until: Date.now() + minutes * 60_000 }),
    });
  },
  disk: async ({ stack }) => {
    const { folder } = stack.use(await mountDisk());
    return {
      ...USUAL,
      name: "disk",
      workers: [1, 1],
      prepare: (database) => moveTables(database, folder),
      inject: (chaos) => injectFullDisks(chaos, folder),
    };
  },
  short: () => Promise.resolve(SHORT_SUITE),
};

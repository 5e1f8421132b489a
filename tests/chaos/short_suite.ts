/** The suite of `deno task ok`: two replicas, six clients, and each important fault once. */
import { faultNamed, loseAnswers } from "./faults.ts";
import { injectFault, pause } from "./schedule.ts";
import type { Suite } from "./suite.ts";

export const SHORT_SUITE: Suite = {
  name: "short",
  workers: [1, 1],
  clients: 6,
  pauseMs: 150,
  misbehavior: 0.15,
  // A participant that hangs delays its request by the time that a record may take, half a minute.
  misbehaviors: ["slow", "dies", "garbage", "twice", "fails"],
  opensRequests: true,
  leastOperations: 90,
  // The tests share their machine.
  recoveryMs: 20_000,
  settleMs: 60_000,
  async inject(chaos) {
    const { stack: { replicas }, random } = chaos;
    const [first, second] = replicas;
    const losesAnswers = {
      ...faultNamed("answers of commits lost"),
      begin: () => loseAnswers(replicas, random, 0.5),
    };
    await pause(1_000);
    await injectFault(chaos, faultNamed("kill -9 the postmaster"), { holdMs: 100 });
    // The replica starts again while answers are lost.
    await Promise.all([
      injectFault(chaos, faultNamed("kill -9 a replica"), { replica: second!, holdMs: 100 }),
      injectFault(chaos, losesAnswers, { holdMs: 5_000 }),
    ]);
    await Promise.all([
      injectFault(chaos, faultNamed("Kafka SIGSTOP"), { holdMs: 5_000 }),
      injectFault(chaos, faultNamed("SIGSTOP a replica"), { replica: first!, holdMs: 3_000 }),
    ]);
  },
};

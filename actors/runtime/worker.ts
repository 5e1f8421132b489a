/** The worker: fires due timers and performs due effects of every store. Any number of replicas share the work. */
import type { WorkLoop } from "../../db/work.ts";
import { type EffectLoopOptions, startEffectLoop } from "./effect_loop.ts";
import { startTimerLoop, type TimerLoopOptions } from "./timer_loop.ts";

/** A loop for timers and one for effects, so that a slow effect delays no timer. */
export function startWorker(options: TimerLoopOptions & EffectLoopOptions): WorkLoop {
  const loops = [startTimerLoop(options), startEffectLoop(options)];
  return {
    wake: (storeIds) => loops.forEach((loop) => loop.wake(storeIds)),
    async [Symbol.asyncDispose]() {
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()));
    },
  };
}

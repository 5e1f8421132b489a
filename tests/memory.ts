/** Retained memory, measured after a garbage collection. */
import v8 from "node:v8";
import vm from "node:vm";

let collect: (() => void) | undefined;

/** Heap and buffers of this process after a garbage collection, in MiB. */
export function heldMegabytes(): number {
  if (!collect) {
    v8.setFlagsFromString("--expose-gc");
    collect = vm.runInNewContext("gc") as () => void;
  }
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return (heapUsed + external) / 1024 ** 2;
}

/** A time slice for long work: when it is used up, everything else that is due runs first. */

/** Milliseconds of one slice. */
const SLICE_MS = 5;

/** Returns a function to call between two steps of the work; it resolves at once until the slice is used up. */
export function createPace(sliceMs = SLICE_MS): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < sliceMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        since = performance.now();
        resolve();
      })
    );
  };
}

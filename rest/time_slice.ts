/** Time slices for long loops: after each slice, the loop yields to the event loop. */

/** Length of a slice in milliseconds. */
const SLICE_MS = 5;

/**
 * Returns a function to call between two steps of the loop. It returns undefined within a slice; after it, a promise
 * that resolves when the other pending events have been processed.
 */
export function createTimeSlice(sliceMs = SLICE_MS): () => Promise<void> | undefined {
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

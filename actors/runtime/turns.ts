/** Turns of commands: those with one name run one after another, in order of arrival. */

/** Runs `work` when no other work of that name runs any more. */
export type TakeTurn = <T>(name: string, work: () => Promise<T>) => Promise<T>;

export function createTurns(): TakeTurn {
  const last = new Map<string, Promise<void>>();
  return async (name, work) => {
    const previous = last.get(name);
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    last.set(name, ended);
    try {
      await previous;
      return await work();
    } finally {
      if (last.get(name) === ended) last.delete(name);
      end();
    }
  };
}

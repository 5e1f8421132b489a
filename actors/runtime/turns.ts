/** Turns of commands: those with one name run one after another, in order of arrival. */

/** What the works of one name share as long as one of them waits. */
export interface Turn<State> {
  /** Number of works that wait. */
  waiting: number;
  state?: State | undefined;
}

/** Runs `work` when no other work of that name runs any more. */
export type TakeTurn<State> = <T>(name: string, work: (turn: Turn<State>) => Promise<T>) => Promise<T>;

export function createTurns<State>(): TakeTurn<State> {
  const queues = new Map<string, { turn: Turn<State>; last: Promise<void> }>();
  return async (name, work) => {
    const queue = queues.get(name) ?? { turn: { waiting: 0 }, last: Promise.resolve() };
    queues.set(name, queue);
    const { turn, last: previous } = queue;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    queue.last = ended;
    turn.waiting++;
    await previous;
    turn.waiting--;
    try {
      return await work(turn);
    } finally {
      if (queue.last === ended) queues.delete(name);
      end();
    }
  };
}

/** Batching of single lookups into statements that answer many, with bounded concurrency. */
import DataLoader from "dataloader";
import { instrumentLookup } from "../telemetry/sql.ts";
import { inThisTrace } from "../telemetry/spans.ts";
import { serverOf, type Sql } from "./connect.ts";
import { Overloaded } from "./errors.ts";
import { inTime } from "./time_limit.ts";

/** Returns the answers by position, an error for a lookup that it rejects. An error that it throws rejects all of them. */
type Ask<Question, Answer> = (questions: readonly Question[]) => Promise<(Answer | Error)[]>;

export interface StatementLimits {
  /**
   * Concurrent statements. Lookups that arrive meanwhile join the next batch, so that batches grow with the load; the
   * second statement keeps a slow one from blocking every caller.
   */
  underWay: number;
  /** Lookups of one statement. */
  maxQuestions: number;
  /** Time in which PostgreSQL has to respond before it counts as unavailable, in milliseconds. */
  answerLimitMs: number;
}

const LIMITS: StatementLimits = { underWay: 2, maxQuestions: 500, answerLimitMs: 3_000 };
/** Time that a lookup may wait for its statement, in milliseconds. A retry has better prospects after that. */
const WAIT_LIMIT_MS = 3_000;
/** Limit of waiting lookups of one kind. */
const MAX_WAITING = 10_000;

/** Returns whether a caller still waits for the answer; called just before the statement starts. */
export type Wanted = () => boolean;

interface Waiting<Question> {
  question: Question;
  wanted: Wanted;
  /** Time on the clock of `performance`. */
  since: number;
}

/**
 * Collects the lookups of one tick into one statement, and sends it at once while fewer than `underWay` are running.
 * Nothing is cached: an answer is as fresh as the statement that returned it. A lookup whose caller has gone
 * is skipped.
 *
 * @param procedure the function that the statement calls
 * @param sql the pool of the statement, for its span
 */
export function batched<Question, Answer>(
  procedure: string,
  ask: Ask<Question, Answer>,
  sql?: Sql,
  { underWay, maxQuestions, answerLimitMs } = LIMITS,
): (question: Question, wanted?: Wanted) => Promise<Answer> {
  const turnstile = createTurnstile(underWay);
  const askWatched = instrumentLookup(procedure, ask, sql ? serverOf(sql) : {});
  let waiting = 0;
  const loader = new DataLoader<Waiting<Question>, Answer>(
    async (batch) => {
      waiting -= batch.length;
      try {
        return await askWhatIsWanted(batch, askWatched, answerLimitMs);
      } finally {
        turnstile.leave();
      }
    },
    { cache: false, maxBatchSize: maxQuestions, batchScheduleFn: turnstile.enter },
  );
  return async (question, wanted = () => true) => {
    if (waiting >= MAX_WAITING) throw new Overloaded(`${waiting} questions wait already`);
    waiting++;
    return await loader.load({ question, wanted, since: performance.now() });
  };
}

async function askWhatIsWanted<Question, Answer>(
  batch: readonly Waiting<Question>[],
  ask: Ask<Question, Answer>,
  answerLimitMs: number,
): Promise<(Answer | Error)[]> {
  const now = performance.now();
  const refusals = batch.map(({ wanted, since }) => {
    if (!wanted()) return new Overloaded("the caller no longer waits for the answer");
    if (now - since > WAIT_LIMIT_MS) return new Overloaded(`not asked within ${WAIT_LIMIT_MS} ms`);
  });
  const asked = batch.filter((_, at) => refusals[at] === undefined);
  if (asked.length === 0) return refusals as Error[];
  const answers = await inTime(ask(asked.map(({ question }) => question)), answerLimitMs);
  let next = 0;
  return refusals.map((refusal) => refusal ?? answers[next++]!);
}

/** Admits as many lookups as there are free slots, in order of arrival, from the end of this tick on. */
function createTurnstile(places: number) {
  const waiting: (() => void)[] = [];
  const admit = () => {
    while (places > 0 && waiting.length > 0) {
      places--;
      waiting.shift()?.();
    }
  };
  return {
    enter(go: () => void) {
      waiting.push(inThisTrace(go));
      setImmediate(admit);
    },
    leave() {
      places++;
      admit();
    },
  };
}

/** Batching of single lookups into statements that answer many, with bounded concurrency. */
import { setImmediate } from "node:timers";
import { instrumentLookup } from "../telemetry/sql.ts";
import { inThisTrace } from "../telemetry/spans.ts";
import { serverOf, type Sql } from "./connect.ts";
import { Overloaded } from "./errors.ts";
import { answersByStore } from "./_stores.ts";
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

interface Waiting<Question, Answer> {
  question: Question;
  wanted: Wanted;
  /** Time on the clock of `performance`. */
  since: number;
  /** Runs work in the trace of the lookup. */
  inTrace: <T>(work: () => T) => T;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
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
  const askWatched = instrumentLookup(procedure, ask, sql ? serverOf(sql) : {});
  let waiting: Waiting<Question, Answer>[] = [];
  let running = 0;
  let isScheduled = false;

  function start(): void {
    isScheduled = false;
    while (waiting.length > 0 && running < underWay) {
      const batch = waiting.length > maxQuestions ? waiting.splice(0, maxQuestions) : waiting;
      if (batch === waiting) waiting = [];
      running++;
      void batch[0]!.inTrace(() => answerBatch(batch, askWatched, answerLimitMs)).then(ended);
    }
  }

  function ended(): void {
    running--;
    start();
  }

  return (question, wanted = always) => {
    if (waiting.length >= MAX_WAITING) {
      return Promise.reject(new Overloaded(`${waiting.length} questions wait already`));
    }
    return new Promise((resolve, reject) => {
      const since = performance.now();
      waiting.push({ question, wanted, since, inTrace: inThisTrace(call), resolve, reject });
      if (isScheduled || running >= underWay) return;
      isScheduled = true;
      setImmediate(start);
    });
  };
}

/**
 * Returns a function that batches the lookups of a procedure.
 *
 * @param distributed whether a statement may be about one store only: then a batch is one statement for each store
 */
export function lookupsOf(sql: Sql, distributed: boolean) {
  return <Question extends { storeId: string }, Answer>(
    procedure: string,
    ask: Ask<Question, Answer>,
  ): (question: Question, wanted?: Wanted) => Promise<Answer> =>
    batched(procedure, distributed ? answersByStore(ask) : ask, sql);
}

const always = () => true;
const call = <T>(work: () => T): T => work();

/** Settles each lookup of a batch. Never rejects. */
async function answerBatch<Question, Answer>(
  batch: readonly Waiting<Question, Answer>[],
  ask: Ask<Question, Answer>,
  answerLimitMs: number,
): Promise<void> {
  const now = performance.now();
  const asked = batch.filter((lookup) => {
    if (!lookup.wanted()) lookup.reject(new Overloaded("the caller no longer waits for the answer"));
    else if (now - lookup.since <= WAIT_LIMIT_MS) return true;
    else lookup.reject(new Overloaded(`not asked within ${WAIT_LIMIT_MS} ms`));
    return false;
  });
  if (asked.length === 0) return;
  try {
    const answers = await inTime(ask(asked.map(({ question }) => question)), answerLimitMs);
    asked.forEach(({ resolve, reject }, at) => {
      const answer = answers[at]!;
      if (answer instanceof Error) reject(answer);
      else resolve(answer);
    });
  } catch (error) {
    for (const { reject } of asked) reject(error);
  }
}

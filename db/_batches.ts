/** Gathers questions that are asked one by one into statements that answer many. */
import DataLoader from "dataloader";
import { instrumentLookup } from "../telemetry/sql.ts";
import { inThisTrace } from "../telemetry/spans.ts";
import { Overloaded } from "./errors.ts";
import { inTime } from "./time_limit.ts";

/** Answers by position; throws what all of the questions are then answered with. */
type Ask<Question, Answer> = (questions: readonly Question[]) => Promise<Answer[]>;

/**
 * How many statements of one kind travel at a time. Questions that come meanwhile gather for the next one, so
 * that statements grow with the load; the second keeps a slow one from holding up everybody.
 */
const UNDER_WAY = 2;
const MAX_QUESTIONS = 500;
/** How long PostgreSQL may keep silent before it counts as away. */
const ANSWER_LIMIT_MS = 3_000;
/** How long a question may wait for its statement: by then a fresh one has better prospects. */
const WAIT_LIMIT_MS = 3_000;
/** How many questions of one kind may wait. */
const MAX_WAITING = 10_000;

/** Whether somebody still waits for the answer; asked when the work would begin. */
export type Wanted = () => boolean;

interface Waiting<Question> {
  question: Question;
  wanted: Wanted;
  /** On the clock of `performance`. */
  since: number;
}

/**
 * Questions of one tick go together, at once while fewer than two statements are under way. Nothing is
 * remembered: an answer is always as fresh as the statement that brought it. A question that nobody wants any more
 * when its turn comes is not asked.
 *
 * @param procedure the function that the statement calls
 */
export function batched<Question, Answer>(
  procedure: string,
  ask: Ask<Question, Answer>,
): (question: Question, wanted?: Wanted) => Promise<Answer> {
  const turnstile = createTurnstile(UNDER_WAY);
  const askWatched = instrumentLookup(procedure, ask);
  let waiting = 0;
  const loader = new DataLoader<Waiting<Question>, Answer>(
    async (batch) => {
      waiting -= batch.length;
      try {
        return await askWhatIsWanted(batch, askWatched);
      } finally {
        turnstile.leave();
      }
    },
    { cache: false, maxBatchSize: MAX_QUESTIONS, batchScheduleFn: turnstile.enter },
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
): Promise<(Answer | Error)[]> {
  const now = performance.now();
  const refusals = batch.map(({ wanted, since }) => {
    if (!wanted()) return new Overloaded("nobody waits for the answer any more");
    if (now - since > WAIT_LIMIT_MS) return new Overloaded(`not asked within ${WAIT_LIMIT_MS} ms`);
  });
  const asked = batch.filter((_, at) => refusals[at] === undefined);
  if (asked.length === 0) return refusals as Error[];
  const answers = await inTime(ask(asked.map(({ question }) => question)), ANSWER_LIMIT_MS);
  let next = 0;
  return refusals.map((refusal) => refusal ?? answers[next++]!);
}

/** Lets in, from the end of this tick on, as many as there are places, in the order in which they came. */
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

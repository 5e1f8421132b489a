/** Gathers questions that are asked one by one into statements that answer many. */
import DataLoader from "dataloader";
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

/**
 * Questions of one tick go together, at once while fewer than two statements are under way. Nothing is
 * remembered: an answer is always as fresh as the statement that brought it.
 */
export function batched<Question, Answer>(
  ask: Ask<Question, Answer>,
): (question: Question) => Promise<Answer> {
  const turnstile = createTurnstile(UNDER_WAY);
  const loader = new DataLoader<Question, Answer>(
    async (questions) => {
      try {
        return await inTime(ask(questions), ANSWER_LIMIT_MS);
      } finally {
        turnstile.leave();
      }
    },
    { cache: false, maxBatchSize: MAX_QUESTIONS, batchScheduleFn: turnstile.enter },
  );
  return (question) => loader.load(question);
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
      waiting.push(go);
      setImmediate(admit);
    },
    leave() {
      places++;
      admit();
    },
  };
}

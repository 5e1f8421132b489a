/** Batches of several stores, as one statement for each store. */

/**
 * Returns a function that asks each store for its part of a batch, all at the same time, and puts the answers in the
 * order of the questions. The questions of a store whose statement fails are answered with the error, which is thrown
 * if all statements fail.
 */
export function answersByStore<Question extends { storeId: string }, Answer>(
  ask: (questions: readonly Question[], storeId: string) => Promise<(Answer | Error)[]>,
): (questions: readonly Question[]) => Promise<(Answer | Error)[]> {
  return async (questions) => {
    const positions = Map.groupBy(questions.keys(), (index) => questions[index]!.storeId);
    const parts = Array.from(positions);
    const outcomes = await Promise.allSettled(
      parts.map(([storeId, indexes]) => ask(indexes.map((index) => questions[index]!), storeId)),
    );
    const [first] = outcomes;
    if (first?.status === "rejected" && outcomes.every(({ status }) => status === "rejected")) {
      throw first.reason;
    }
    const answers = new Array<Answer | Error>(questions.length);
    outcomes.forEach((outcome, part) => {
      parts[part]![1].forEach((index, at) => {
        answers[index] = outcome.status === "fulfilled" ? outcome.value[at]! : outcome.reason as Error;
      });
    });
    return answers;
  };
}

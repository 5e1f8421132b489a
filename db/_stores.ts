/** Batches of several stores, as one statement for each store. */

/**
 * Returns a function that asks each store for its part of a batch, all at the same time, and puts the answers in the
 * order of the questions. The questions of a store whose statement fails are answered with the error.
 */
export function answersByStore<Question extends { storeId: string }, Answer>(
  ask: (storeId: string, questions: readonly Question[]) => Promise<(Answer | Error)[]>,
): (questions: readonly Question[]) => Promise<(Answer | Error)[]> {
  return async (questions) => {
    const positions = Map.groupBy(questions.keys(), (index) => questions[index]!.storeId);
    const answers = new Array<Answer | Error>(questions.length);
    await Promise.all(
      Array.from(positions, async ([storeId, indexes]) => {
        const part = await ask(storeId, indexes.map((index) => questions[index]!)).catch((error: Error) =>
          indexes.map(() => error)
        );
        indexes.forEach((index, at) => answers[index] = part[at]!);
      }),
    );
    return answers;
  };
}

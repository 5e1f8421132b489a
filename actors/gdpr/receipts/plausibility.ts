/** Plausibility of a receipt: a signature does not make impossible contents true. */
import { BECAUSE, type ParsedReceipt } from "./file.ts";

/** Tables that the re-scan of every version has searched. */
const SEARCHED_TABLES = ["customers", "customer_addresses"];
/** The times come from several replicas, whose clocks may differ. */
const TOLERANCE_MS = 5 * 60_000;

/**
 * Finds what cannot be true in a receipt.
 *
 * @param now the verifier's time
 * @returns sentences; none if the receipt is plausible
 */
export function findImplausible({ document }: ParsedReceipt, now: Date): string[] {
  const { requestedAt, erasedAt, completedAt, participants, rescan, cleared, columns } = document;
  const names = participants.map(({ service }) => service);
  const counts = Object.values(cleared).flatMap((byCategory) => Object.values(byCategory));
  const missing = SEARCHED_TABLES.filter((table) => !rescan.tables.includes(table));
  const unnamed = Object.keys(cleared).filter((table) => !columns[table]?.length);
  const settled = participants.filter(({ settledAt }) => !inOrder(erasedAt, settledAt, completedAt));
  const problems: [boolean, string][] = [
    [
      !inOrder(requestedAt, erasedAt, completedAt),
      "Its dates are not in order: requested, erased, completed.",
    ],
    [settled.length > 0, "It states that a participant answered before the erasure or after the completion."],
    [!inOrder(completedAt, now.toISOString()), "It states a completion in the future."],
    [names.length === 0, "It names no participant."],
    [new Set(names).size < names.length, "It names a participant twice."],
    [missing.length > 0, `It states a search after the erasure without the tables ${missing.join(", ")}.`],
    [unnamed.length > 0, `It does not name the columns that it has emptied in: ${unnamed.join(", ")}.`],
    [
      [...counts, rescan.residue].some((count) => !Number.isSafeInteger(count) || count < 0),
      "A count is not a whole number.",
    ],
    [
      BECAUSE[document.requestedBy.kind] !== document.because,
      "Its sentence about the requester does not match the kind of the requester.",
    ],
  ];
  return problems.filter(([is]) => is).map(([, sentence]) => sentence);
}

function inOrder(...times: string[]): boolean {
  const instants = times.map(Date.parse);
  return instants.every((instant, index) => index === 0 || instant >= instants[index - 1]! - TOLERANCE_MS);
}

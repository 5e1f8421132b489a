/** Transactions that survive the death of their connection. */
import postgres from "postgres";
import type { Sql, Tx } from "./connect.ts";
import { isUnavailable } from "./errors.ts";

/** How long the server may take to hang up after an error that ends the session. */
const HANG_UP_MS = 1_000;

/**
 * Runs `run` in a transaction, as `sql.begin` does, and fails when the connection is lost. From then on no
 * statement of `run` is sent any more.
 *
 * postgres.js gives a lost connection back to its pool while the transaction's function still runs. Whatever
 * that function sends afterwards, its ROLLBACK included, reaches a closed socket, which ends the process
 * (https://github.com/porsager/postgres/issues/1154), or the next transaction on that connection.
 */
export async function transaction<T>(sql: Sql, run: (tx: Tx) => Promise<T>): Promise<T> {
  let lost = false;
  const outcome = sql.begin((tx) =>
    // Left unsettled once the connection is lost: settling would send COMMIT or ROLLBACK.
    new Promise<T>((resolve, reject) => {
      run(guard(tx, () => lost)).then(
        (result) => lost || resolve(result),
        // The failure may be the first sign of a loss that postgres.js is about to tell of.
        (error) => setTimeout(() => lost || reject(error), endsSession(error) ? HANG_UP_MS : 0),
      );
    })
  );
  try {
    return await outcome as T;
  } finally {
    lost = true;
  }
}

function guard(tx: Tx, isLost: () => boolean): Tx {
  const check = () => {
    if (isLost()) {
      throw Object.assign(new Error("The transaction has ended with its connection"), {
        code: "CONNECTION_CLOSED",
      });
    }
  };
  return new Proxy(tx, {
    apply(target, self, args) {
      check();
      return Reflect.apply(target, self, args);
    },
    get(target, name) {
      check();
      return Reflect.get(target, name);
    },
  });
}

function endsSession(error: unknown): boolean {
  return error instanceof postgres.PostgresError ? error.severity !== "ERROR" : isUnavailable(error);
}

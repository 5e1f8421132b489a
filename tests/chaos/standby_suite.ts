/** Suite of failovers: the database's name leads to a standby, a standby is promoted, and servers change their roles. */
import type { FaultKind } from "./faults.ts";
import { type Chaos, injectFault, pause } from "./schedule.ts";
import { askServer, type Stack } from "./stack.ts";
import type { DatabaseServer } from "./database.ts";

/** Time for which the primary that was replaced stays up. */
const SPLIT_MS = 4_000;

export async function injectFailovers(chaos: Chaos): Promise<void> {
  const { stack } = chaos;
  await pause(3_000);
  const standby = await stack.startStandby();
  await replicateSynchronously(stack.database);
  await pause(3_000);
  await injectFault(chaos, nameLeadsTo(standby), { holdMs: 8_000 });
  await pause(4_000);
  await injectFault(chaos, failover(standby), { holdMs: SPLIT_MS });
  await pause(4_000);
  await injectFault(chaos, switchover(await stack.startStandby()), { holdMs: 0 });
  await pause(4_000);
}

/** Commits wait until a standby has them. */
async function replicateSynchronously(primary: DatabaseServer): Promise<void> {
  await askServer(primary, async (sql) => {
    await sql.unsafe("alter system set synchronous_standby_names = '*'");
    await sql`select pg_reload_conf()`;
  });
}

function lead({ replicas }: Stack, server: DatabaseServer): void {
  for (const { database } of replicas) database.switchTo(server.port());
}

function cut({ replicas }: Stack): void {
  for (const { database } of replicas) database.cut();
}

/** The sessions that were opened on the standby stay open when the name leads to the primary again. */
const nameLeadsTo = (standby: DatabaseServer): FaultKind => ({
  name: "name leads to a standby",
  resource: "database",
  holdMs: [0, 0],
  begin({ stack }) {
    lead(stack, standby);
    cut(stack);
    const end = () => {
      lead(stack, stack.database);
      return Promise.resolve({});
    };
    return Promise.resolve({ target: "all links", end });
  },
});

/** The old primary is up for some seconds after the standby was promoted, and accepts no commit without it. */
const failover = (standby: DatabaseServer): FaultKind => ({
  name: "failover to a synchronous standby",
  resource: "database",
  holdMs: [0, 0],
  async begin({ stack }) {
    const old = stack.database;
    await standby.promote();
    stack.database = standby;
    lead(stack, standby);
    cut(stack);
    return {
      target: "PostgreSQL",
      async end() {
        await old.stop("SIGQUIT");
        return {};
      },
    };
  },
});

/** A fast shutdown sends the standby everything before it ends. */
const switchover = (standby: DatabaseServer): FaultKind => ({
  name: "switchover to an asynchronous standby",
  resource: "database",
  holdMs: [0, 0],
  async begin({ stack }) {
    await stack.database.stop("SIGINT");
    await standby.promote();
    stack.database = standby;
    return {
      target: "PostgreSQL",
      end() {
        lead(stack, standby);
        return Promise.resolve({});
      },
    };
  },
});

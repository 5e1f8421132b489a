/** Metrics of the pools, measured at every export. */
import { type Attributes, observe } from "../telemetry/metrics.ts";
import type { Role, Sql } from "./connect.ts";

/** Name of a pool: its role, and its server where that is a replica. */
export type PoolName = Role | "customer_reader_replica";

/** Registers the metrics of each pool's connections. */
export function meterPools(pools: Partial<Record<PoolName, Sql>>): Disposable {
  const each = (tell: (sql: Sql, named: Attributes) => { value: number; attributes: Attributes }[]) =>
    Object.entries(pools).flatMap(([name, sql]) => tell(sql, { "db.client.connection.pool.name": name }));
  return observe([
    "db.client.connection.count",
    "db.client.connection.max",
    "db.client.connection.pending_requests",
  ], () => ({
    "db.client.connection.count": each((sql, attributes) => {
      const { idle, used } = sql.traffic();
      const state = (value: number, state: string) => ({
        value,
        attributes: { ...attributes, "db.client.connection.state": state },
      });
      return [state(idle, "idle"), state(used, "used")];
    }),
    "db.client.connection.max": each((sql, attributes) => [{ value: sql.options.max, attributes }]),
    "db.client.connection.pending_requests": each((sql, attributes) => [
      { value: sql.traffic().waiting, attributes },
    ]),
  }));
}

/** Lookups at a real hot standby: how old its answers may be, and when the primary is asked. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { openPool, REPLICA_LIMITS, type Sql } from "../../db/connect.ts";
import { asDomainError } from "../../db/errors.ts";
import { createLookups, createReplicaLookups } from "../../db/lookups.ts";
import { createNearbyLookups, type NearbyLookups } from "../../db/nearby_lookups.ts";
import { type ReplicaWatch, startReplicaWatch } from "../../db/replica.ts";
import { eventually } from "../eventually.ts";
import { arrangeCustomer } from "../rpc/arrange.ts";
import { type ReplicatedServer, startPrimary, startStandby } from "../replication.ts";
import { startTcpProxy, type TcpProxy } from "../tcp_proxy.ts";

/** Longer than the pauses of a busy machine. */
const MAX_LAG_MS = 3_000;

Deno.test("a replica serves lookups while its answers are new enough, and the primary serves the others", async (t) => {
  await using stack = new AsyncDisposableStack();
  const primary = await startPrimary(stack);
  const standby = await startStandby(primary, stack, { max_standby_streaming_delay: "0" });
  const setting = open(stack, primary, standby);
  const { admin, lookups, watch, ways } = setting;
  const customer = await arrangeCustomer(admin, { groups: [{ name: "first" }] });
  const nameOf = async (versions = {}, by = lookups) => {
    const found = await by.findCustomerGroups({ ...customer, ...versions });
    return found?.memberships[0]?.name;
  };
  const rename = (name: string) =>
    admin`update shopper_groups set name = ${name} where store_id = ${customer.storeId}`;
  const replay = (how: "pause" | "resume") => standby.ask(`select pg_wal_replay_${how}()`);
  const isServing = () => eventually(() => assert.equal(watch.fault(), undefined));

  await t.step("an idle primary does not age its replica", async () => {
    // A server logs its running transactions within seconds after its last change, and is idle then.
    await eventually(async () => {
      await isServing();
      await replay("pause");
      const since = performance.now();
      try {
        await eventually(() => assert.ok(performance.now() - since > 1.5 * MAX_LAG_MS));
        assert.equal(watch.fault(), undefined);
        assert.ok(watch.lagMs()! < MAX_LAG_MS);
      } finally {
        await replay("resume");
      }
    }, 60_000);
  });

  await t.step("an answer is older than the primary's by at most the lag", async () => {
    await replay("pause");
    await rename("second");
    assert.equal(await nameOf(), "first");
    await eventually(async () => assert.equal(await nameOf(), "second"), 3 * MAX_LAG_MS);
    assert.equal(watch.fault(), "lagging");
    await replay("resume");
    await isServing();
  });

  await t.step("a caller that shows a version gets no older answer", async () => {
    await isServing();
    await replay("pause");
    await rename("third");
    await admin`
      update customers set version = 5, membership_version = 7 where customer_id = ${customer.customerId}`;
    assert.equal(await nameOf(), "second");
    assert.equal(await nameOf({ minVersion: 1, minMembershipVersion: 1 }), "second");
    assert.equal(await nameOf({ minVersion: 5 }), "third");
    assert.equal(await nameOf({ minMembershipVersion: 7 }), "third");
    await replay("resume");
    await eventually(async () => assert.equal(await nameOf({ minVersion: 5 }, setting.alone), "third"));
  });

  await t.step("a customer that the replica does not know is looked up at the primary", async () => {
    await isServing();
    await replay("pause");
    const other = await arrangeCustomer(admin);
    assert.equal(await setting.alone.findCustomerGroups(other), undefined);
    assert.equal((await lookups.findCustomerGroups(other))?.status, "ACTIVE");
    assert.equal(await lookups.findCustomerGroups({ ...other, customerId: crypto.randomUUID() }), undefined);
    await replay("resume");
  });

  await t.step("a lookup that the replica cancels is answered by the primary", async () => {
    await isServing();
    await primary.ask(SLOW);
    await eventually(async () => assert.equal((await standby.ask(HAS_SLOW)).length, 1));
    const answer = nameOf();
    await eventually(async () => {
      const rows = await standby.ask("select from pg_stat_activity where wait_event = 'PgSleep'");
      assert.equal(rows.length, 1);
    });
    await primary.ask("begin; lock table customers in access exclusive mode; commit");
    assert.equal(await answer, "third");
    assert.equal(watch.fault(), undefined);
    await primary.ask(QUICK);
    await eventually(async () => assert.equal((await standby.ask(HAS_SLOW)).length, 0));
  });

  await t.step("a replica that is silent or away costs one wait at most, and no answer", async () => {
    await isServing();
    ways.replica.hold(true);
    const started = performance.now();
    assert.equal(await nameOf(), "third");
    assert.notEqual(watch.fault(), undefined);
    assert.equal(await nameOf(), "third");
    assert.ok(performance.now() - started < 5_000);
    ways.replica.hold(false);
    await isServing();
    ways.replica.cut();
    assert.equal(await nameOf(), "third");
    await isServing();
  });

  await t.step("while the primary is away the replica serves until its age is no longer known", async () => {
    await isServing();
    ways.primary.hold(true);
    ways.primary.forget();
    assert.equal(await nameOf(), "third");
    await eventually(() => assert.equal(watch.fault(), "lagging"));
    await assert.rejects(nameOf(), (error) => asDomainError(error)?.code === "UNAVAILABLE");
    await assert.rejects(nameOf({}, setting.alone), (error) => asDomainError(error)?.code === "UNAVAILABLE");
    await eventually(async () => {
      await rename("fourth"); // its time of commit reaches the replica
      await eventually(() => assert.equal(watch.fault(), undefined), MAX_LAG_MS / 2);
      assert.equal(await nameOf({}, setting.alone), "fourth");
    });
    ways.primary.hold(false);
    await isServing();
  });

  await t.step("a promoted standby answers no longer, since it receives nothing more", async () => {
    await standby.ask("select pg_promote()");
    await eventually(() => assert.equal(watch.fault(), "unavailable"));
    await rename("fifth");
    assert.equal(await nameOf(), "fifth");
  });
});

interface Setting {
  admin: Sql;
  /** Falls back to the primary. */
  lookups: NearbyLookups;
  /** The same replica without a primary. */
  alone: NearbyLookups;
  watch: ReplicaWatch;
  ways: { primary: TcpProxy; replica: TcpProxy };
}

/** Opens pools through proxies. */
function open(
  stack: AsyncDisposableStack,
  primary: ReplicatedServer,
  standby: ReplicatedServer,
): Setting {
  const through = ({ port, url }: ReplicatedServer) => {
    const proxy = stack.adopt(startTcpProxy(0, port), (proxy) => proxy.close());
    return { proxy, url: Object.assign(new URL(url), { port: String(proxy.port) }).href };
  };
  const [toPrimary, toReplica] = [through(primary), through(standby)];
  const end = (sql: Sql) => sql.end({ timeout: 1 });
  const admin = stack.adopt(postgres(primary.adminUrl, { max: 1, onnotice: () => {} }), end);
  const reader = stack.adopt(openPool(toPrimary.url, "customer_reader", 2), end);
  const sql = stack.adopt(openPool(toReplica.url, "customer_reader", 2, REPLICA_LIMITS), end);
  const watch = stack.use(startReplicaWatch(sql, { primary: reader, maxLagMs: MAX_LAG_MS }));
  const replica = createReplicaLookups(sql);
  return {
    admin,
    lookups: createNearbyLookups({ replica, watch, primary: createLookups(reader) }),
    alone: createNearbyLookups({ replica, watch, primary: undefined }),
    watch,
    ways: { primary: toPrimary.proxy, replica: toReplica.proxy },
  };
}

/** Makes lookups at a standby wait while they hold a lock on the customers. */
const SLOW = `
  alter function lookup_customer_groups rename to quick_lookup;
  create function lookup_customer_groups(store_ids uuid[], customer_ids uuid[])
  returns table ("position" integer, anonymized boolean, status text, group_id uuid, name text, price_list_id uuid,
    priority integer, assigned_at timestamptz)
  language plpgsql stable security definer as $$
  begin
    if pg_is_in_recovery() then
      perform from customers limit 1;
      perform pg_sleep(30);
    end if;
    return query select * from quick_lookup(store_ids, customer_ids);
  end $$`;
const HAS_SLOW = "select from pg_proc where proname = 'quick_lookup'";
const QUICK = `
  drop function lookup_customer_groups;
  alter function quick_lookup rename to lookup_customer_groups`;

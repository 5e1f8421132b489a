/**
 * `deno task bench graphql`: the query `me` with shoppers' tokens, compared with Apollo Server on Express and with
 * mercurius on Fastify, in alternating rounds on one PostgreSQL.
 *
 * `--customers=20000 --shoppers=1000 --rounds=4 --seconds=4 --connections=16`
 */
import { loadBaseline, Missing, startNodeGraph } from "./_baseline.ts";
import { barsOf, compareRounds, loadTable, measureServer, OURS, runRounds } from "./_compare.ts";
import { loadCustomers, openDatabase } from "./_database.ts";
import type { HttpJob, HttpLoadResult } from "./_http_load.ts";
import { runJob, type Serving } from "./_processes.ts";
import { options, printStep, type Report } from "./_report.ts";
import { openShoppers, startService, writeTokens } from "./_service.ts";

const me = (isDefault: string) =>
  JSON.stringify({
    query:
      `query Me { me { id email firstName lastName addresses { id line1 city postalCode country ${isDefault} } ` +
      "shopperGroups { id name priceListId priority } } }",
  });

interface Variant {
  server: Serving;
  job: Pick<HttpJob, "body" | "tokens">;
}

export async function graphql(args: string[]): Promise<Report> {
  const settings = options(args, {
    customers: 20_000,
    shoppers: 1_000,
    rounds: 4,
    seconds: 4,
    connections: 16,
  });
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openDatabase());
  const shoppers = stack.use(await openShoppers());
  const customers = (await loadCustomers(database.adminUrl, settings.customers)).slice(0, settings.shoppers);
  const service = stack.use(await startService(database.url, shoppers));
  const tokens = await writeTokens(`${database.folder}/tokens`, shoppers, customers);
  const variants = new Map<string, Variant>([
    [OURS, { server: service.http, job: { tokens, body: me("isDefaultShipping") } }],
  ]);
  const skipped: string[] = [];
  const baseline = await loadBaseline(database.adminUrl, settings.customers);
  const others = await writeTokens(
    `${database.folder}/baseline-tokens`,
    shoppers,
    baseline.customers.slice(0, settings.shoppers),
  );
  const env = {
    JWK: JSON.stringify(shoppers.key.publicJwk),
    ISSUER: shoppers.issuer.issuer,
    AUDIENCE: shoppers.issuer.audience,
  };
  for (
    const [name, program] of [["Apollo Server on Express", "apollo"], ["mercurius", "mercurius"]] as const
  ) {
    try {
      printStep(`starting ${name}`);
      const server = stack.use(await startNodeGraph(program, baseline, env));
      variants.set(name, { server, job: { tokens: others, body: me("isDefault") } });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      skipped.push(`${name} was skipped: ${error.message}.`);
    }
  }
  const names = [...variants.keys()];
  const load = (name: string, port: number, times: Pick<HttpJob, "seconds" | "warmUp">) =>
    runJob<HttpLoadResult>("_http_load.ts", {
      ...variants.get(name)!.job,
      ...times,
      port,
      path: "/graphql",
      expected: '{"data":{"me":{"id"',
      connections: settings.connections,
    });
  for (const name of names) await load(name, variants.get(name)!.server.port, { seconds: 4, warmUp: 1 });
  const rounds = await runRounds("me", settings.rounds, names, async (name) => {
    const times = { seconds: settings.seconds, warmUp: 0.5 };
    return await measureServer(variants.get(name)!.server, database.pid, (port) => load(name, port, times));
  });
  const closed = [...rounds.values()].flat().reduce((sum, one) => sum + one.closed, 0);
  return {
    notes: [
      `${
        settings.shoppers.toLocaleString("en-US")
      } tokens in turn (EdDSA), ${settings.connections} keep-alive ` +
      `connections, ${settings.rounds} rounds of ${settings.seconds} seconds. ${closed} connections were closed by a server.`,
      ...skipped,
    ],
    tables: [loadTable("me", rounds)],
    plots: [{
      name: "graphql-rate",
      title: "me with a token: requests per second",
      unit: "requests/s",
      better: "higher",
      groups: [{
        name: `${settings.connections} connections`,
        bars: barsOf(rounds, (one) => one.callsPerSecond),
      }],
    }],
    comparisons: compareRounds("me over GraphQL: requests/s", rounds, (one) => one.callsPerSecond, "higher"),
  };
}

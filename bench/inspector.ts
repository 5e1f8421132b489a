/**
 * `deno task bench inspector`: time to the first byte of the inspector's pages, in a store with many requests and, in
 * alternating rounds, in one with few.
 *
 * `--requests=100000 --few=1000 --rounds=100`
 */
import { openDevelopmentIssuer } from "../auth/development_issuer.ts";
import { readConfig } from "../config/mod.ts";
import { start } from "../service.ts";
import { openDatabase } from "./_database.ts";
import { options, printStep, quantile, type Report } from "./_report.ts";
import { loadRequests } from "./_requests.ts";

const PAGES: Record<string, (requestId: string) => string> = {
  "overview": () => "/inspect",
  "newest first": () => "/inspect?sort=newest",
  "overdue": () => "/inspect?due=overdue",
  "at risk": () => "/inspect?due=at_risk",
  "on hold": () => "/inspect?held=yes",
  "stuck": () => "/inspect?stuck=yes",
  "waiting for a service": () => "/inspect?waiting=payment-service",
  "refused, newest first": () => "/inspect?outcome=REFUSED&sort=newest",
  "overdue erasures, oldest first": () => "/inspect?type=ERASURE&due=overdue&sort=oldest",
  "preview of a bulk retry": () => "/inspect/retry",
  "one request": (requestId) => `/inspect/requests/${requestId}`,
};

export async function inspector(args: string[]): Promise<Report> {
  const settings = options(args, { requests: 100_000, few: 1_000, rounds: 100 });
  await using database = await openDatabase();
  const config = readConfig({
    DATABASE_URL: database.url,
    DATA_DIR: `${database.folder}/data`,
    HTTP_PORT: "0",
    GRPC_PORT: "0",
  });
  const stores = [];
  for (const count of [settings.requests, settings.few]) {
    const storeId = crypto.randomUUID();
    const requestId = await loadRequests(database.adminUrl, storeId, count);
    stores.push({ storeId, requestId, authorization: await tokenFor(storeId, config.dataDirectory) });
  }
  await using service = await start(config);
  const rows: string[][] = [];
  for (const [name, pathOf] of Object.entries(PAGES)) {
    printStep(name);
    const times = stores.map((): number[] => []);
    for (let round = -5; round < settings.rounds; round++) {
      for (const [index, { requestId, authorization }] of stores.entries()) {
        const ms = await firstByte(`http://127.0.0.1:${service.httpPort}${pathOf(requestId)}`, authorization);
        if (round >= 0) times[index]!.push(ms); // the first ones warm up
      }
    }
    const [many, few] = times.map((each) => [quantile(each, 0.5), quantile(each, 0.95)] as const);
    const ratio = (many![0] / few![0]).toFixed(1);
    rows.push([name, ...[...many!, ...few!].map((ms) => ms.toFixed(0)), ratio]);
  }
  const head = ["page", "p50 ms", "p95 ms", "few: p50 ms", "few: p95 ms", "p50: many ÷ few"];
  return {
    notes: [
      `Time to the first byte in a store with ${
        settings.requests.toLocaleString("en-US")
      } requests and, in alternating ` +
      `rounds, in one with ${settings.few.toLocaleString("en-US")}; ${settings.rounds} rounds, one reader.`,
    ],
    tables: [{ title: "pages", head, rows }],
  };
}

async function tokenFor(storeId: string, dataDirectory: string): Promise<string> {
  const issuer = await openDevelopmentIssuer(dataDirectory);
  const officer = { id: crypto.randomUUID(), type: "STAFF", storeId, roles: ["PRIVACY_OFFICER"] } as const;
  return `Bearer ${await issuer.sign({ principal: officer, service: undefined }, 3_600)}`;
}

/** In milliseconds. */
async function firstByte(url: string, authorization: string): Promise<number> {
  const from = performance.now();
  const response = await fetch(url, { headers: { authorization, accept: "text/html" } });
  const reader = response.body!.getReader();
  await reader.read();
  const ms = performance.now() - from;
  while (!(await reader.read()).done);
  if (response.status !== 200) throw new Error(`Cannot measure ${url}: it returns ${response.status}`);
  return ms;
}

// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task attack [NAME …]`: runs all attacks, or those whose name contains one of the arguments, each against a new
 * service on loopback. Prints a Markdown table with the effects on an innocent client and on the process. Exits with 1
 * if an aim is missed. Linux only.
 */
import { parseArgs } from "node:util";
import { ATTACKS } from "./attacks/mod.ts";
import { measure, type Result } from "./measure.ts";
import { header, missedAims, row } from "./table.ts";
import { prepareGround } from "./victim.ts";

const HELP = `Attacks a fresh service on this machine and prints what an innocent client noticed.

  deno task attack [NAME…]   attacks whose name contains one of the words; without one, all of them

  --seconds N       how long each attack lasts, 8 by default
  --database URL    a superuser's connection to a PostgreSQL; an embedded one is started by default
  --json            prints a line of JSON for each attack instead of the table
  --list            prints the names and what each attack sends`;

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: "string", default: "8" },
    database: { type: "string" },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
  allowPositionals: true,
});

const chosen = ATTACKS.filter(({ name }) =>
  positionals.length === 0 || positionals.some((word) => name.includes(word))
);

async function main(): Promise<number> {
  if (values.help) console.log(HELP);
  else if (values.list) { for (const { name, sends } of chosen) console.log(`${name}: ${sends}`); }
  else return await attackAll();
  return 0;
}

async function attackAll(): Promise<number> {
  const seconds = Number(values.seconds);
  if (chosen.length === 0 || !(seconds > 0)) {
    console.error(`Cannot attack: no attack has that name, or --seconds is not a number\n\n${HELP}`);
    return 2;
  }
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted = true); // the current attack ends first, so nothing is left
  }
  await using ground = await prepareGround(values.database);
  if (!values.json) console.log(header());
  const results: Result[] = [];
  for (const attack of [undefined, ...chosen]) {
    const result = await measure(ground, attack, seconds * 1_000);
    if (interrupted) return 130;
    results.push(result);
    if (!attack && missedAims(result).length > 0) {
      console.error(
        "The machine is too busy: an aim is missed although nobody attacks, so latencies mean little",
      );
    }
    console.log(values.json ? JSON.stringify({ ...result, missed: missedAims(result) }) : row(result));
  }
  return results.some((result) => missedAims(result).length > 0) ? 1 : 0;
}

Deno.exit(await main());

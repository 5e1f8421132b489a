/** Request machines on real rows: every state and event of every machine, and every path through its graph. */
import { everyPath, MACHINES_UNDER_TEST } from "./machine_paths.ts";
import { assertTableOnRows, assertWalks } from "./machine_rows.ts";

for (const subject of MACHINES_UNDER_TEST) {
  Deno.test(`${subject.title} on rows: each state accepts the events of the table, and others change nothing`, () =>
    assertTableOnRows(subject));

  Deno.test(`${subject.title} on rows: the invariants hold at the end of every path through its graph`, () =>
    assertWalks(subject, everyPath(subject)));
}

import assert from "node:assert/strict";
import postgres from "postgres";
import { bootstrap, LOGIN } from "../../db/bootstrap.ts";
import { startEmbedded } from "../../db/embedded.ts";
import { temporaryFolder } from "../service.ts";

Deno.test("bootstrap sets any password of the login, and replaces it with the next one", async () => {
  await using folder = await temporaryFolder();
  await using server = await startEmbedded(folder.path, { settings: { fsync: "off" } });
  for (const password of ["plain", `100%41 o'clock: \\n "@/?#&é数`, "%", "'; drop role x; --"]) {
    const url = await bootstrap(server.adminUrl, "shop", password);
    const sql = postgres(url, { max: 1 });
    const [who] = await sql`select current_user as login, current_database() as database`;
    assert.deepEqual({ ...who }, { login: LOGIN, database: "shop" });
    await sql.end();
  }
});

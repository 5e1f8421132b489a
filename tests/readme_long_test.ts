/** The whole tour in README.md, against a first start. It waits for a retry that takes a minute. */
import assert from "node:assert/strict";
import { assertTour, paste, shellBlocks, variablesIn } from "./readme.ts";
import { startService, temporaryFolder } from "./service.ts";

Deno.test("every command of the tour in README.md does what the text says", async () => {
  await using folder = await temporaryFolder();
  await using service = startService({ DATA_DIR: `${folder.path}/data` });
  const variables = variablesIn(await service.ready());
  const blocks = (await shellBlocks("README.md", "## A tour")).map((block) =>
    block.replaceAll(".data/", `${folder.path}/`)
  );
  const { stdout, stderr } = await paste([variables, ...blocks].join("\n"));
  await assertTour({ stdout, stderr }, folder.path);
});

Deno.test("every sample for a role answers as its page says", async () => {
  await using folder = await temporaryFolder();
  await using service = startService({ DATA_DIR: `${folder.path}/data` });
  const tour = await service.ready();
  const run = async (page: string, variables: string) => {
    const { stdout, stderr } = await paste([variables, ...await shellBlocks(page)].join("\n"));
    return { stdout, stderr, answers: stdout.split("\n").filter((line) => line.startsWith("{")) };
  };

  const integrators = await run("docs/integrators.md", variablesIn(tour));
  assert.equal(integrators.stderr, "");
  const fields = [
    "priceListId",
    "defaultShippingAddress",
    "me",
    "updateProfile",
    "gdprRequests",
    "Tom",
    "+4144",
    "dueAt",
  ];
  assert.equal(integrators.answers.length, fields.length);
  integrators.answers.forEach((answer, index) => assert.ok(answer.includes(fields[index]!), answer));

  const officers = await run("docs/officers.md", variablesIn(tour));
  assert.equal(officers.stderr, "");
  assert.match(officers.answers.join(), /tom\.berg@shop\.example.*"explanation"/);

  const data = `${folder.path}/data`;
  const [, , , port] = (await Deno.readTextFile(`${data}/postgres/postmaster.pid`)).split("\n");
  const login = `postgres:${await Deno.readTextFile(`${data}/password`)}`;
  const database = `export DATABASE_URL=postgres://${login.trim()}@127.0.0.1:${port}/customer`;
  const [first = "", ...others] = await shellBlocks("docs/operators.md");
  const ready = await paste(`${variablesIn(tour)}\n${first}`);
  assert.deepEqual([ready.stdout.includes("ready"), ready.stderr], [true, ""]);
  const { stdout, stderr } = await paste([variablesIn(tour), others[0], database, others[1]].join("\n"));
  assert.match(stderr, /^Cannot start: the environment is wrong$/m);
  assert.match(stderr, /GDPR_RECEIPT_KEY: expected[^]*accounts$/m, "the tasks print their counts");
  assert.match(stdout, /"erased_at"[^]*^# /m, "the memory, and the record of processing");
});

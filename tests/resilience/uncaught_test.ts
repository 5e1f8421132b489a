/** Uncaught errors end the process. The log contains their place and nothing personal. */
import assert from "node:assert/strict";
import { eventually } from "../eventually.ts";

const PROGRAM = new URL("uncaught_process.ts", import.meta.url).pathname;

const CASES: [failure: string, message: RegExp][] = [
  ["timer", /^Exiting after an uncaught error: "Error at resilience\/uncaught_process\.ts:\d+"$/],
  ["rejection", /^Exiting after an unhandled rejection: "Error at resilience\/uncaught_process\.ts:\d+"$/],
  ["emitter", /^Exiting after an uncaught error: "Error at resilience\/uncaught_process\.ts:\d+"$/],
  ["text", /^Exiting after an unhandled rejection: "string was thrown, which is not an Error"$/],
  ["unreadable", /^Exiting after an uncaught error: "An error that cannot be read"$/],
  ["repeatedly", /^Exiting after an uncaught error: "Error at resilience\/uncaught_process\.ts:\d+"$/],
];

for (const [failure, message] of CASES) {
  Deno.test(`the process logs one line of JSON and exits after an uncaught error: ${failure}`, async () => {
    const { code, stdout, stderr } = await program(failure).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
    assert.equal(code, 1, err);
    assert.equal(err, "");
    const lines = out.trim().split("\n");
    assert.equal(lines.length, 1, out);
    const { level, message: said } = JSON.parse(lines[0]!);
    assert.equal(level, "FATAL");
    assert.match(said, message);
    assert.doesNotMatch(out, /numbat/);
  });
}

Deno.test("the supervisor restarts a worker after an uncaught error", async () => {
  const file = await Deno.makeTempFile({ prefix: "customer-service-uncaught-" });
  const parent = program("supervise", file).spawn();
  let printed = "";
  const reading = parent.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => void (printed += text) }),
  );
  const errors = new Response(parent.stderr).text();
  try {
    await eventually(() => assert.match(printed, /^successor \d+$/m));
    assert.match(
      printed,
      /Exiting after an uncaught error: \\"Error at resilience\/uncaught_process\.ts:\d+/,
    );
    assert.match(printed, /has ended with \\"exit code 1\\"/);
    assert.doesNotMatch(printed, /numbat/);
  } finally {
    parent.kill("SIGTERM");
    const [{ code }, said] = await Promise.all([parent.status, errors, reading]);
    assert.equal(code, 0, said);
    await Deno.remove(file).catch(() => {}); // the worker has removed it
  }
});

function program(...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", PROGRAM, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

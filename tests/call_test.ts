/** `./cs`: the requests that its calls make, and what it refuses. */
import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { DEMO } from "../demo/ids.ts";
import { temporaryFolder } from "./service.ts";

const SCRIPT = new URL("../tasks/call.ts", import.meta.url).pathname;

Deno.test("calls of ./cs carry a token of the caller, and the answer and the status are printed", async () => {
  await using folder = await temporaryFolder();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { method, headers, url } = request;
    const seen = {
      method,
      path: new URL(url).pathname,
      headers: Object.fromEntries(headers),
      body: await request.text(),
    };
    return Response.json(seen, { status: method === "DELETE" ? 409 : 200 });
  });
  const call = (...args: string[]) =>
    run(args, { DATA_DIR: folder.path, HTTP_PORT: String(server.addr.port) });

  const query = await call("graphql", "{ me { id } }", '{"a":1}');
  assert.deepEqual([query.code, query.stderr], [0, ""]);
  const { method, path, headers, body } = JSON.parse(query.stdout);
  assert.deepEqual([method, path, headers["content-type"]], ["POST", "/graphql", "application/json"]);
  assert.deepEqual(JSON.parse(body), { query: "{ me { id } }", variables: { a: 1 } });
  const { sub, principal_type: type, exp, iat } = claimsOf(headers);
  assert.deepEqual([sub, type, exp! - iat!], [DEMO.customerId, "CUSTOMER", 60]);

  const change = await call(
    "patch",
    "/customers/7",
    "{}",
    "-H",
    'if-match: "1"',
    "--as",
    "service order-service",
  );
  const sent = JSON.parse(change.stdout);
  assert.deepEqual([sent.method, sent.path, sent.body], ["PATCH", "/customers/7", "{}"]);
  assert.equal(sent.headers["if-match"], '"1"');
  assert.deepEqual(claimsOf(sent.headers).principal_type, "SYSTEM");

  const refused = await call("delete", "/groups/7");
  assert.deepEqual([refused.code, refused.stderr], [1, "409 Conflict\n"]);
  assert.equal(claimsOf(JSON.parse(refused.stdout).headers).principal_type, "STAFF");
});

Deno.test("a call of ./cs that cannot be made says what is expected", async () => {
  await using folder = await temporaryFolder();
  const cases: [args: string[], message: RegExp][] = [
    [["get"], /^Cannot call get: expected a path/],
    [
      ["get", "https://shop.example/customers"],
      /^Cannot call https:\/\/shop\.example: a path begins with \//,
    ],
    [["grpc", "Melt"], /^Cannot call gRPC: expected one of GetCustomerGroups, /],
    [["get", "/customers"], /^Cannot reach http:\/\/127\.0\.0\.1:1: run \.\/cs start, or set HTTP_PORT$/m],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await run(args, { DATA_DIR: folder.path, HTTP_PORT: "1" });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, message);
  }
});

// deno-lint-ignore no-explicit-any -- claims of the platform
function claimsOf({ authorization }: Record<string, string>): any {
  return decodeJwt(authorization!.replace("Bearer ", ""));
}

async function run(args: string[], env: Record<string, string>) {
  const options = { args: ["run", "--quiet", "-A", SCRIPT, ...args], env: { NO_COLOR: "1", ...env } };
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), options).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

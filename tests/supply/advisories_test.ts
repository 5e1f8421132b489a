import assert from "node:assert/strict";
import { type Advisory, findAdvisories, judge, NoAdvisories } from "../../tasks/supply/advisories.ts";

const PACKAGES = [
  { name: "left", version: "1.2.3" },
  { name: "left", version: "2.0.0" },
  { name: "right", version: "4.0.0-beta.1" },
];

/** Fake registry with one response, which records its requests. */
function registry(answer: BodyInit, status = 200) {
  const asked: { path: string; body: unknown }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    asked.push({ path: new URL(request.url).pathname, body: await request.json() });
    return new Response(answer, { status });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/npm/`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const row = (severity: string, range: string, id = 1_106_913) => ({
  id,
  url: `https://github.com/advisories/GHSA-35jh-r3h4-6jh${id % 10}`,
  title: "Command injection",
  severity,
  vulnerable_versions: range,
  cwe: ["CWE-77"],
});

Deno.test("one request covers all packages, and only versions in an advisory's range are affected", async () => {
  const answer = {
    left: [row("high", ">=1.0.0 <1.2.4"), row("low", "<1.0.0", 1_106_914)],
    right: [row("critical", "<4.0.0")],
  };
  await using npm = registry(JSON.stringify(answer));
  const found = await findAdvisories(npm.url, PACKAGES);
  assert.deepEqual(npm.asked, [{
    path: "/npm/-/npm/v1/security/advisories/bulk",
    body: { left: ["1.2.3", "2.0.0"], right: ["4.0.0-beta.1"] },
  }]);
  assert.deepEqual(
    found.map(({ id, package: name, version, severity }) => ({ id, name, version, severity })),
    [
      { id: "GHSA-35jh-r3h4-6jh3", name: "left", version: "1.2.3", severity: "high" },
      { id: "GHSA-35jh-r3h4-6jh3", name: "right", version: "4.0.0-beta.1", severity: "critical" },
    ],
  );
});

Deno.test("an error, an outage and an unexpected response of the registry differ from no advisories", async () => {
  await using nothing = registry("{}");
  assert.deepEqual(await findAdvisories(nothing.url, PACKAGES), []);
  await using refusing = registry("", 405);
  await assert.rejects(findAdvisories(refusing.url, PACKAGES), (error) => {
    assert.ok(error instanceof NoAdvisories);
    assert.match(error.message, /has no advisories: it returns 405/);
    return true;
  });
  for (const answer of ["<html>", "[]", '{"left":[{"id":1}]}']) {
    await using odd = registry(answer);
    await assert.rejects(findAdvisories(odd.url, PACKAGES), NoAdvisories);
  }
  const away = registry("{}");
  await away[Symbol.asyncDispose]();
  await assert.rejects(findAdvisories(away.url, PACKAGES), /cannot be reached/);
});

const advisory = (severity: string, id = "GHSA-aaaa-bbbb-cccc"): Advisory => ({
  id,
  package: "left",
  version: "1.2.3",
  title: "Command injection",
  severity,
  url: `https://github.com/advisories/${id}`,
});
const accepted = { id: "GHSA-aaaa-bbbb-cccc", package: "left", reason: "never called", until: "2026-11-30" };

Deno.test("high, critical and unknown severities are problems, lower ones are not", () => {
  for (const severity of ["info", "low", "moderate"]) {
    assert.deepEqual(judge([advisory(severity)], [], "2026-11-23"), []);
  }
  for (const severity of ["high", "critical", "apocalyptic"]) {
    const [line] = judge([advisory(severity)], [], "2026-11-23");
    assert.match(line ?? "", new RegExp(`^left@1.2.3: ${severity}: Command injection .*GHSA-aaaa-bbbb-cccc`));
  }
});

Deno.test("an acceptance covers its package until the end of its last day", () => {
  assert.deepEqual(judge([advisory("high")], [accepted], "2026-11-30"), []);
  assert.match(judge([advisory("high")], [accepted], "2026-12-01")[0] ?? "", /2026-11-30, which has passed/);
  assert.equal(judge([advisory("high")], [{ ...accepted, package: "right" }], "2026-11-30").length, 2);
});

Deno.test("an acceptance that affects no package is a problem", () => {
  assert.match(judge([], [accepted], "2026-11-23")[0] ?? "", /GHSA-aaaa-bbbb-cccc .* affects no package/);
  assert.equal(judge([advisory("low")], [accepted], "2026-11-23").length, 1);
});

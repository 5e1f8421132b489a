/** Access to the inspector, by token and by session. */
import assert from "node:assert/strict";
import { deleteExpiredSessions } from "../../db/ended_sessions.ts";
import { customerRef, shopper } from "../actors/world.ts";
import { startInspector, type TestInspector } from "./server.ts";

/** Signs in with the form. Returns the response and the session's cookie. */
async function signIn({ origin }: TestInspector, token: string, to = "/inspect") {
  const response = await fetch(`${origin}/inspect/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ token, to }),
    headers: { origin },
    redirect: "manual",
  });
  const text = await response.text();
  return { response, text, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

Deno.test("a browser without a session is redirected to the sign-in form, another client receives 401", async () => {
  await using inspector = await startInspector();
  const page = await inspector.get("/inspect?status=PENDING");
  assert.equal(page.status, 302);
  assert.equal(page.headers.get("location"), "/inspect/sign-in?to=%2Finspect%3Fstatus%3DPENDING");
  const program = await inspector.get("/inspect", undefined, { accept: "application/json" });
  assert.equal(program.status, 401);
  assert.equal(program.headers.get("www-authenticate"), "Bearer");
  await Promise.all([page.body?.cancel(), program.body?.cancel()]);
});

Deno.test("an officer's token starts a session that scripts cannot read and other sites cannot use", async () => {
  await using inspector = await startInspector();
  const { response, cookie } = await signIn(
    inspector,
    await inspector.token(inspector.officer),
    "/inspect?type=ACCESS",
  );
  assert.deepEqual([response.status, response.headers.get("location")], [303, "/inspect?type=ACCESS"]);
  const attributes = response.headers.get("set-cookie")?.split("; ").slice(1) ?? [];
  assert.deepEqual(attributes.sort(), ["HttpOnly", "Max-Age=28800", "Path=/inspect", "SameSite=Strict"]);
  const page = await inspector.get("/inspect", undefined, { cookie });
  assert.equal(page.status, 200);
  assert.match(await page.text(), new RegExp(inspector.world.storeId));
});

Deno.test("signing in never redirects to another site", async () => {
  await using inspector = await startInspector();
  const token = await inspector.token(inspector.officer);
  for (
    const to of [
      "https://evil.example.com",
      "//evil.example.com",
      "/inspect//evil",
      "/graphql",
      "/inspect/../x",
      "/inspect/%2e%2e/docs",
      "/inspect%2f..%2fdocs",
      "/\\\\evil.example.com",
    ]
  ) {
    const { response } = await signIn(inspector, token, to);
    const { origin, pathname } = new URL(response.headers.get("location") ?? "", inspector.origin);
    assert.deepEqual([origin, /^\/inspect(\/|$)/.test(pathname)], [inspector.origin, true], to);
  }
});

Deno.test("a visitor from another site, whose request has no cookie, can continue from the sign-in form", async () => {
  await using inspector = await startInspector();
  const to = "/inspect/sign-in?to=%2Finspect%2Frequests%2Fx%3Fat%3D2";
  const formAt = async (path: string, headers: Record<string, string>) =>
    await (await inspector.get(path, undefined, headers)).text();
  const cross = { "sec-fetch-site": "cross-site" };
  assert.match(await formAt(to, cross), /<a href="\/inspect\/requests\/x\?at=2">Continue<\/a>/);
  assert.doesNotMatch(await formAt(to, { "sec-fetch-site": "none" }), /Continue/);
  assert.doesNotMatch(await formAt(to, { "sec-fetch-site": "same-origin" }), /Continue/);
  assert.doesNotMatch(await formAt("/inspect/sign-in", cross), /Continue/);
});

Deno.test("a form of an ended session changes nothing, and its text is returned with a link to sign in again", async () => {
  await using inspector = await startInspector();
  const path = `/inspect/requests/${crypto.randomUUID()}`;
  const response = await fetch(`${inspector.origin}${path}`, {
    method: "POST",
    body: new URLSearchParams({
      action: "hold",
      version: "1",
      ground: "LEGAL_CLAIM",
      reason: "A <court> asks",
      confirmed: "yes",
    }),
    headers: { origin: inspector.origin, accept: "text/html" },
  });
  assert.equal(response.status, 401);
  const text = await response.text();
  assert.match(text, /Your session has ended, so nothing was changed.*<q>A &lt;court&gt; asks<\/q>/s);
  assert.ok(text.includes(`href="/inspect/sign-in?to=${encodeURIComponent(path)}"`));
  assert.doesNotMatch(text, /[Hh]eader|[Bb]earer/);
});

Deno.test("a form of another site cannot sign in", async () => {
  await using inspector = await startInspector();
  const response = await fetch(`${inspector.origin}/inspect/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ token: await inspector.token(inspector.officer) }),
    headers: { origin: "https://evil.example.com" },
    redirect: "manual",
  });
  await response.body?.cancel();
  assert.equal(response.headers.get("set-cookie"), null);
  assert.equal(response.status, 403);
});

Deno.test("shoppers, services and staff without a role are refused, by form and by header", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const others = [
    shopper(customerRef(world)),
    staff([]),
  ];
  for (const other of [...others, world.system]) {
    const page = await inspector.get("/inspect", other);
    assert.equal(page.status, 403, other.type);
    await page.body?.cancel();
    const { response, cookie } = await signIn(inspector, await inspector.token(other));
    assert.deepEqual([response.status, cookie], [403, ""]);
  }
  for (const role of ["PRIVACY_OFFICER", "STORE_MANAGER"] as const) {
    const page = await inspector.get("/inspect", staff([role]));
    assert.equal(page.status, 200);
    await page.body?.cancel();
  }
});

Deno.test("an invalid token is refused with a message that does not contain it", async () => {
  await using inspector = await startInspector();
  const { response, text } = await signIn(inspector, "abc.def.ghi");
  assert.equal(response.status, 401);
  assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer error="invalid_token", /);
  assert.match(text, /role="alert">Cannot/);
  assert.doesNotMatch(text, /abc\.def/);
});

Deno.test("the development link signs in with its own code only", async () => {
  await using inspector = await startInspector({ development: "right" });
  const right = await inspector.get("/inspect/sign-in?code=right");
  assert.deepEqual([right.status, right.headers.get("location")], [302, "/inspect"]);
  assert.match(right.headers.get("set-cookie") ?? "", /^customer-service-inspector=/);
  const wrong = await inspector.get("/inspect/sign-in?code=wrong");
  assert.deepEqual([wrong.status, wrong.headers.get("set-cookie")], [200, null]);
  await Promise.all([right.body?.cancel(), wrong.body?.cancel()]);
  await using production = await startInspector();
  const withoutLink = await production.get("/inspect/sign-in?code=undefined");
  assert.deepEqual([withoutLink.status, withoutLink.headers.get("set-cookie")], [200, null]);
  await withoutLink.body?.cancel();
});

Deno.test("a form needs the CSRF token of its own session, and signing out ends the session", async () => {
  await using inspector = await startInspector();
  const [mine, other] = await Promise.all([
    signIn(inspector, await inspector.token(inspector.officer)),
    signIn(inspector, await inspector.token(inspector.staff(["STORE_MANAGER"]))),
  ]);
  const csrfOf = async (cookie: string) =>
    (await (await inspector.get("/inspect", undefined, { cookie })).text()).match(
      /name="csrf" value="([^"]+)"/,
    )?.[1];
  const post = async (csrf: string) => {
    const response = await fetch(`${inspector.origin}/inspect/sign-out`, {
      method: "POST",
      body: new URLSearchParams({ csrf }),
      headers: { cookie: mine.cookie, origin: inspector.origin },
      redirect: "manual",
    });
    await response.body?.cancel();
    return response;
  };
  assert.equal((await post("")).status, 403);
  assert.equal((await post(await csrfOf(other.cookie) ?? "")).status, 403);
  const out = await post(await csrfOf(mine.cookie) ?? "");
  assert.equal(out.status, 303);
  assert.match(out.headers.get("set-cookie") ?? "", /Max-Age=0/);
});

/** Signs out with the form of a page. Returns the response. */
async function signOut({ origin, get }: TestInspector, cookie: string): Promise<Response> {
  const page = await (await get("/inspect", undefined, { cookie })).text();
  const csrf = page.match(/name="csrf" value="([^"]+)"/)?.[1] ?? "";
  const response = await fetch(`${origin}/inspect/sign-out`, {
    method: "POST",
    body: new URLSearchParams({ csrf }),
    headers: { cookie, origin },
    redirect: "manual",
  });
  await response.body?.cancel();
  return response;
}

Deno.test("signing out ends the session in every replica, also for its token in a header", async () => {
  await using inspector = await startInspector();
  await using replica = await inspector.replica();
  const token = await inspector.token(inspector.officer);
  const { cookie } = await signIn(inspector, token);
  const other = await signIn(inspector, await inspector.token(inspector.staff(["STORE_MANAGER"])));
  const statusOf = async (server: TestInspector | typeof replica, headers: Record<string, string>) => {
    const page = await server.get("/inspect", undefined, { ...headers, accept: "application/json" });
    await page.body?.cancel();
    return { status: page.status, challenge: page.headers.get("www-authenticate") };
  };
  const authorization = `Bearer ${token}`;
  for (const server of [inspector, replica]) assert.equal((await statusOf(server, { cookie })).status, 200);

  assert.equal((await signOut(inspector, cookie)).status, 303);
  for (const server of [inspector, replica]) {
    for (const headers of [{ cookie }, { authorization }, { authorization: `bearer  ${token}` }]) {
      const { status, challenge } = await statusOf(server, headers as Record<string, string>);
      assert.equal(status, 401);
      assert.match(challenge ?? "", /^Bearer error="invalid_token", error_description=".*signed out"$/);
    }
    const page = await server.get("/inspect", undefined, { cookie });
    assert.equal(page.headers.get("location"), "/inspect/sign-in?to=%2Finspect");
    await page.body?.cancel();
  }
  const again = await signIn(inspector, token);
  assert.deepEqual([again.response.status, again.cookie], [401, ""]);
  assert.equal(
    (await statusOf(inspector, { cookie: other.cookie })).status,
    200,
    "another session continues",
  );
  const renewed = await signIn(inspector, await inspector.token(inspector.officer, [], 700));
  assert.equal(
    (await statusOf(inspector, { cookie: renewed.cookie })).status,
    200,
    "a new token is accepted",
  );
});

Deno.test("an ended session is stored as a digest, and deleted once its token has expired", async () => {
  await using inspector = await startInspector();
  const { admin, database } = inspector.world;
  const token = await inspector.token(inspector.officer);
  const { cookie } = await signIn(inspector, token);
  await signOut(inspector, cookie);
  const rows = await admin<
    { text: string; expiresAt: Date }[]
  >`select t::text as text, expires_at from ended_sessions t`;
  assert.equal(rows.length, 1);
  for (const part of token.split(".")) assert.ok(!rows[0]?.text.includes(part));
  const worker = database.pool("customer_worker", 1);
  const { expiresAt } = rows[0]!;
  const exp = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/"))).exp * 1_000;
  assert.ok(expiresAt.getTime() > exp, "it is stored for as long as the token is valid");
  await deleteExpiredSessions(worker, new Date(exp), 10);
  assert.equal((await admin`select 1 from ended_sessions`).length, 1);
  await deleteExpiredSessions(worker, expiresAt, 10);
  assert.equal((await admin`select 1 from ended_sessions`).length, 0);
});

Deno.test("in production the cookie is bound to this host and to TLS, and other cookies are ignored", async () => {
  await using inspector = await startInspector({ secure: true });
  const { response, cookie } = await signIn(inspector, await inspector.token(inspector.officer));
  assert.match(cookie, /^__Host-customer-service-inspector=/);
  const attributes = response.headers.get("set-cookie")?.split("; ").slice(1) ?? [];
  assert.deepEqual(attributes.sort(), ["HttpOnly", "Max-Age=28800", "Path=/", "SameSite=Strict", "Secure"]);
  const statusOf = async (cookie: string) => {
    const page = await inspector.get("/inspect", undefined, { cookie });
    await page.body?.cancel();
    return page.status;
  };
  assert.equal(await statusOf(cookie), 200);
  assert.equal(await statusOf(cookie.replace("__Host-", "")), 302, "a sibling domain could set this one");
  const out = await signOut(inspector, cookie);
  const cleared = out.headers.get("set-cookie") ?? "";
  assert.match(cleared, /^__Host-customer-service-inspector=; Max-Age=0; Path=\/; Secure$/);
  assert.equal(await statusOf(cookie), 302);
});

Deno.test("a form of another site is refused, also with a token in a header", async () => {
  await using inspector = await startInspector();
  const authorization = `Bearer ${await inspector.token(inspector.officer)}`;
  const post = async (headers: Record<string, string>) => {
    const response = await fetch(`${inspector.origin}/inspect/sign-out`, {
      method: "POST",
      body: new URLSearchParams(),
      headers: { authorization, ...headers },
      redirect: "manual",
    });
    await response.body?.cancel();
    return response.status;
  };
  const evil = { origin: "https://evil.example.com" };
  for (
    const headers of [evil, { origin: "null" }, { "sec-fetch-site": "cross-site" }, {
      "sec-fetch-site": "same-site",
    }]
  ) {
    assert.equal(await post(headers), 403, JSON.stringify(headers));
  }
  // Behind a proxy our public origin may differ from the request's, so Sec-Fetch-Site takes precedence.
  for (const headers of [{ origin: inspector.origin }, { ...evil, "sec-fetch-site": "same-origin" }]) {
    assert.equal(await post(headers), 303, JSON.stringify(headers));
  }
});

Deno.test("no page can be cached or framed, or loads anything from another origin", async () => {
  await using inspector = await startInspector();
  for (const path of ["/inspect", "/inspect/sign-in", "/inspect/nothing"]) {
    const page = await inspector.get(path, inspector.officer);
    const policy = page.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    assert.equal(page.headers.get("cache-control"), "no-store");
    const text = await page.text();
    assert.doesNotMatch(text, /<style|style=|<script(?! src="\/inspect\/assets)|https?:\/\//, path);
  }
  assert.equal((await inspector.get("/inspect/assets/nothing.css")).status, 404);
});

Deno.test("an officer above the rate limit is refused with Retry-After", async () => {
  let requests = 0;
  await using inspector = await startInspector({
    count: () => Promise.resolve(++requests > 1 ? 7 : undefined),
  });
  await inspector.get("/inspect"); // not counted, because it has no principal
  assert.equal((await inspector.get("/inspect", inspector.officer)).status, 200);
  const refused = await inspector.get("/inspect", inspector.officer);
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "7"]);
  assert.match(await refused.text(), /try again in 7 s/);
});

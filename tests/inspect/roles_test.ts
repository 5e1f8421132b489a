/** Access to every page and form by role. */
import assert from "node:assert/strict";
import type { RoleName } from "../../domain/principal.ts";
import { customerRef, shopper } from "../actors/world.ts";
import { startInspector } from "./server.ts";

const OFFICERS = ["PRIVACY_OFFICER", "STORE_MANAGER"] as const;
const READERS = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "STORE_MANAGER"] as const;
const WRITERS = ["CUSTOMER_MANAGER", "STORE_MANAGER"] as const;
const ALL = ["CUSTOMER_SUPPORT", "CUSTOMER_MANAGER", "PRIVACY_OFFICER", "STORE_MANAGER"] as const;

/** Roles that each route admits. */
const ROUTES: Record<string, readonly RoleName[]> = {
  "GET /": ALL,
  "GET /requests.csv": OFFICERS,
  "GET /live": OFFICERS,
  "GET /search": ALL,
  "POST /search": ALL,
  "GET /retry": OFFICERS,
  "POST /retry": OFFICERS,
  "GET /settings": OFFICERS,
  "POST /settings": OFFICERS,
  "GET /record-of-processing": OFFICERS,
  "GET /open": OFFICERS,
  "POST /open": OFFICERS,
  "GET /customers": READERS,
  "POST /customers": READERS,
  "GET /customers/live": READERS,
  "GET /customers/:customerId": ALL,
  "POST /customers/:customerId/changes": WRITERS,
  "POST /customers/:customerId/holds": OFFICERS,
  "POST /customers/:customerId/requests": OFFICERS,
  "GET /customers/:customerId/live": ALL,
  "GET /groups": READERS,
  "POST /groups": WRITERS,
  "GET /groups/live": READERS,
  "GET /groups/:groupId": READERS,
  "POST /groups/:groupId": WRITERS,
  "GET /groups/:groupId/live": READERS,
  "GET /requests/:requestId": OFFICERS,
  "POST /requests/:requestId": OFFICERS,
  "POST /requests/:requestId/notices/:noticeId": OFFICERS,
  "GET /requests/:requestId/live": OFFICERS,
  "GET /requests/:requestId/receipt": OFFICERS,
  "GET /requests/:requestId/receipt/page": OFFICERS,
  "GET /requests/:requestId/export/:part": OFFICERS,
};
/** Routes without a right: they are for everyone, or for everyone who is signed in. */
const OPEN = /^(GET \/assets\/|GET \/sign-in$|POST \/sign-in$|GET \/signed-out$|POST \/sign-out$|ALL )/;

Deno.test("every page and form admits exactly the roles of the table", async () => {
  await using inspector = await startInspector();
  const { world, staff } = inspector;
  const routes = new Set(
    inspector.app.routes.filter(({ path, method }) => path.startsWith("/inspect") && method !== "ALL")
      .map(({ path, method }) => `${method} ${path.slice("/inspect".length) || "/"}`)
      .filter((route) => !OPEN.test(route)),
  );
  assert.deepEqual([...routes].toSorted(), Object.keys(ROUTES).toSorted());
  const stranger = staff(["STORE_MANAGER"], crypto.randomUUID());
  for (const [route, roles] of Object.entries(ROUTES)) {
    const [method = "", pattern = ""] = route.split(" ");
    const path = `/inspect${pattern === "/" ? "" : pattern.replaceAll(/:\w+/g, () => crypto.randomUUID())}`;
    const status = async (as: Parameters<typeof inspector.get>[1], query = "") => {
      const response = method === "GET"
        ? await inspector.get(`${path}${query}`, as)
        : await inspector.post(`${path}${query}`, as!, {});
      await response.body?.cancel();
      return response.status;
    };
    for (const role of ALL) {
      const admitted = await status(staff([role])) !== 403;
      assert.equal(admitted, roles.includes(role), `${route} as ${role}`);
    }
    for (const other of [staff([]), shopper(customerRef(world)), world.system]) {
      assert.equal(await status(other), 403, `${route} as ${other.type}`);
    }
    assert.equal(await status(stranger, `?store=${world.storeId}`), 403, `${route} in another store`);
  }
});

Deno.test("each role starts on its first page, and its menu leads to the pages that it may open", async () => {
  await using inspector = await startInspector();
  const { staff } = inspector;
  const menus: Record<RoleName, { start: string; paths: string[] }> = {
    PRIVACY_OFFICER: {
      start: "/inspect",
      paths: ["/inspect", "/inspect/settings", "/inspect/record-of-processing"],
    },
    CUSTOMER_SUPPORT: { start: "/inspect/customers", paths: ["/inspect/customers", "/inspect/groups"] },
    CUSTOMER_MANAGER: { start: "/inspect/customers", paths: ["/inspect/customers", "/inspect/groups"] },
    STORE_MANAGER: {
      start: "/inspect",
      paths: [
        "/inspect",
        "/inspect/customers",
        "/inspect/groups",
        "/inspect/settings",
        "/inspect/record-of-processing",
      ],
    },
  };
  for (const [role, { start, paths }] of Object.entries(menus)) {
    const as = staff([role as RoleName]);
    const first = await inspector.get("/inspect", as);
    assert.equal(first.headers.get("location") ?? "/inspect", start, role);
    await first.body?.cancel();
    for (const path of paths) {
      const response = await inspector.get(path, as);
      const page = await response.text();
      assert.equal(response.status, 200, `${role} ${path}`);
      const menu = /<nav aria-label="Sections"[^]*?<\/nav>/.exec(page)?.[0] ?? "";
      assert.deepEqual([...menu.matchAll(/href="([^"]*)"/g)].map(([, href]) => href), paths, role);
      assert.match(menu, new RegExp(`href="${path}" aria-current="page"`));
    }
  }
});

Deno.test("a person with a session is offered to sign in as another one on a page for another role", async () => {
  await using inspector = await startInspector();
  const cookie = `customer-service-inspector=${await inspector.token(inspector.staff(["CUSTOMER_SUPPORT"]))}`;
  const response = await inspector.get("/inspect/settings", undefined, { cookie });
  const page = await response.text();
  assert.equal(response.status, 403);
  assert.match(page, /it requires the role PRIVACY_OFFICER or STORE_MANAGER/);
  assert.match(page, /href="\/inspect\/sign-in\?to=%2Finspect%2Fsettings">Sign in as another person/);
  assert.match(page, /<nav aria-label="Sections"/);
});

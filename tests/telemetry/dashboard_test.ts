/** Alerts and dashboard use existing metrics only. */
import assert from "node:assert/strict";
import { createHealth } from "../../rest/health.ts";
import { INSTRUMENTS } from "../../telemetry/metrics.ts";
import { parseExpression, prometheusNames, readAlerts, readDashboard } from "./prometheus.ts";

Deno.test("the alerts and the dashboard use exported metrics, under their Prometheus names", async () => {
  const known = prometheusNames();
  const expressions = await everyExpression();
  assert.ok(expressions.length > 40);
  for (const expression of expressions) {
    const { metrics } = parseExpression(expression);
    assert.notDeepEqual(metrics, [], expression);
    assert.deepEqual(metrics.filter((name) => !known.has(name)), [], expression);
  }
});

Deno.test("every metric of the service is used by an alert or the dashboard", async () => {
  const asked = (await everyExpression()).flatMap((expression) => parseExpression(expression).metrics);
  const unseen = Object.keys(INSTRUMENTS).filter((name) =>
    !asked.some((metric) => metric.startsWith(name.replaceAll(".", "_")))
  );
  assert.deepEqual(unseen, []);
});

Deno.test("metrics that other services export too are filtered by this service, in any namespace", async () => {
  const shared = (await everyExpression()).flatMap((expression) =>
    [
      ...expression.replace(/\bby \([^)]*\)/g, "").matchAll(
        /\b(?!customer_service_)[a-z]\w*_\w+(?:\{([^}]*)\})?/g,
      ),
    ]
      .filter(([name]) => prometheusNames().has(name.replace(/\{.*/, "")))
      .map(([, selector = ""]) => selector)
  );
  assert.ok(shared.length > 15);
  for (const selector of shared) {
    const [, job = ""] = selector.match(/\bjob=~"([^"]+)"/) ?? [];
    const asked = new RegExp(`^(${job.replace("$job", "customer-service")})$`);
    for (const own of ["customer-service", "shop/customer-service"]) assert.match(own, asked, selector);
    for (const other of ["customer-service-2", "other-customer-service", "router"]) {
      assert.doesNotMatch(other, asked, selector);
    }
  }
});

Deno.test("alerts on HTTP responses exclude the probes, which fail with the database and succeed without requests", async () => {
  const probes = createHealth(() => Promise.resolve(true)).routes.map(({ path }) => path);
  const selectors = (await readAlerts()).flatMap(({ expression }) =>
    [...expression.matchAll(/\bcustomer_service_http_\w+\{([^}]*)\}/g)].map(([, selector]) => selector!)
  );
  assert.ok(selectors.length > 2);
  for (const selector of selectors) {
    const [, routes = "(?!)"] = selector.match(/http_route!~"([^"]+)"/) ?? [];
    const [, status = ".+"] = selector.match(/http_response_status_code=~?"([^"]+)"/) ?? [];
    const [deaf, other] = [new RegExp(`^(${routes})$`), !new RegExp(`^(${status})$`).test("503")];
    for (const probe of probes) assert.ok(other || deaf.test(probe), `${probe} in ${selector}`);
  }
});

Deno.test("every alert has a unique name and a chapter in the runbook", async () => {
  const alerts = await readAlerts();
  assert.ok(alerts.length > 15);
  assert.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length);
  for (const { name, expression, runbook } of alerts) {
    assert.match(name, /^CustomerService[A-Z]\w+$/);
    assert.notEqual(expression, "", name);
    assert.equal(runbook, `docs/runbook.md#${name.toLowerCase()}`);
  }
});

Deno.test("the dashboard has its rows, and no panels overlap", async () => {
  const { panels } = await readDashboard();
  assert.deepEqual(panels.filter(({ type }) => type === "row").map(({ title }) => title), [
    "Traffic",
    "Commands",
    "GDPR",
    "Outbox",
    "Effects and timers",
    "Pools and process",
  ]);
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.equal(taken.get(`${column},${line}`), undefined, title);
        taken.set(`${column},${line}`, title);
      }
    }
  }
});

Deno.test("docs/telemetry.md names every metric with its unit", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/telemetry.md", import.meta.url));
  for (const [name, { unit }] of Object.entries(INSTRUMENTS)) {
    const line = text.split("\n").find((line) => line.includes(`\`${name}\``)) ?? "";
    assert.ok(line.includes(unit.replace(/[{}]/g, "")), `${name} in ${unit}`);
  }
});

async function everyExpression(): Promise<string[]> {
  const { panels } = await readDashboard();
  const alerts = await readAlerts();
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...alerts.map(({ expression }) => expression),
  ];
}

/** Conversion of JDBC URLs: each parameter, and refusals that quote no value. */
import { convertJdbc } from "../../config/jdbc.ts";
import assert from "node:assert/strict";

const LOGIN = { username: "customer_service", password: "choose-one" };

function converted(url: string, login: Partial<typeof LOGIN> = LOGIN): URL {
  const { username, password } = login;
  const { databaseUrl, problems } = convertJdbc({ url, username, password });
  assert.deepEqual(problems, []);
  return new URL(databaseUrl ?? "");
}

function problems(url: string, login: Partial<typeof LOGIN> = LOGIN): string[] {
  const { username, password } = login;
  const { databaseUrl, problems } = convertJdbc({ url, username, password });
  assert.equal(databaseUrl, undefined);
  return problems;
}

const parametersOf = (url: URL) => Object.fromEntries(url.searchParams);

Deno.test("a JDBC URL supplies host, port and database, and separate keys the login", () => {
  assert.equal(
    converted("jdbc:postgresql://db.example:6432/customers").href,
    "postgres://customer_service:choose-one@db.example:6432/customers?sslmode=prefer",
  );
  assert.equal(converted("jdbc:postgresql://db.example/customers").port, "");
});

Deno.test("a login with every special character is preserved", () => {
  const password = `p@s:s/w?o#r%d &=+"'\\é€`;
  const url = converted("jdbc:postgresql://db/customers", { username: "a@b:c", password });
  assert.equal(decodeURIComponent(url.password), password);
  assert.equal(decodeURIComponent(url.username), "a@b:c");
  assert.equal(url.hostname, "db");
});

Deno.test("the URL may contain a percent-encoded login, in which a plus is literal", () => {
  const url = converted("jdbc:postgresql://db/customers?user=svc&password=a%26b+c%3D", {});
  assert.deepEqual([url.username, decodeURIComponent(url.password)], ["svc", "a&b+c="]);
  assert.deepEqual(parametersOf(url), { sslmode: "prefer" });
});

Deno.test("two different logins are refused, and so is a missing one", () => {
  assert.deepEqual(problems("jdbc:postgresql://db/customers?user=svc&password=other"), [
    "db.username: expected the same as in db.url, or in one of the two only",
    "db.password: expected the same as in db.url, or in one of the two only",
  ]);
  assert.deepEqual(problems("jdbc:postgresql://db/customers", {}), [
    "db.username: expected, but missing",
    "db.password: expected, but missing",
  ]);
});

Deno.test("TLS is never weaker than with the JDBC driver", () => {
  const table: [string, Record<string, string>][] = [
    ["", { sslmode: "prefer" }],
    ["ssl=false", { sslmode: "prefer" }],
    ["ssl=true", { sslmode: "verify-full" }],
    ["ssl", { sslmode: "verify-full" }],
    ["ssl=true&sslmode=require", { sslmode: "require" }],
    ["sslmode=disable", { sslmode: "disable" }],
    ["sslmode=verify-ca&sslrootcert=/tls/ca.pem", { sslmode: "verify-ca", sslrootcert: "/tls/ca.pem" }],
    ["ssl=true&sslrootcert=%2Ftls%2Fca.pem", { sslmode: "verify-full", sslrootcert: "/tls/ca.pem" }],
  ];
  for (const [query, expected] of table) {
    assert.deepEqual(parametersOf(converted(`jdbc:postgresql://db/customers?${query}`)), expected, query);
  }
});

Deno.test("the application name is converted, schema and server type are accepted, and a Java client's limits are ignored", () => {
  const url =
    "jdbc:postgresql://db/customers?currentSchema=public&ApplicationName=crm&targetServerType=primary" +
    "&connectTimeout=10&socketTimeout=30&prepareThreshold=0";
  assert.deepEqual(parametersOf(converted(url)), {
    sslmode: "prefer",
    application_name: "crm",
  });
  assert.deepEqual(convertJdbc({ url, ...LOGIN }).unused, [
    "connectTimeout",
    "socketTimeout",
    "prepareThreshold",
  ]);
  assert.deepEqual(parametersOf(converted("jdbc:postgresql://db/customers?targetServerType=any")), {
    sslmode: "prefer",
  });
});

Deno.test("unsupported parameters are refused by name", () => {
  const table: [string, RegExp][] = [
    ["sslcert=/c&sslkey=/k", /^db\.url: sslcert: .*\ndb\.url: sslkey: /],
    ["ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", /^db\.url: sslfactory: expected sslmode/],
    [
      "sslmode=verify_full",
      /^db\.url: sslmode: expected disable, allow, prefer, require, verify-ca, verify-full$/,
    ],
    ["ssl=yes", /^db\.url: ssl: expected true or false$/],
    ["sslrootcert=/ca.pem", /^db\.url: sslrootcert: /],
    ["sslmode=verify-full&sslrootcert=", /^db\.url: sslrootcert: /],
    ["currentSchema=shop", /^db\.url: currentSchema: expected public, /],
    ["targetServerType=preferSecondary", /^db\.url: targetServerType: /],
    ["channelBinding=require", /^db\.url: channelBinding: /],
    ["options=-c%20role=postgres", /^db\.url: options: /],
  ];
  for (const [query, expected] of table) {
    assert.match(problems(`jdbc:postgresql://db/customers?${query}`).join("\n"), expected, query);
  }
  assert.match(problems("jdbc:postgresql://a:1,b:2/customers").join(), /expected one host/);
  assert.match(problems("jdbc:postgresql://[::1]/customers").join(), /name or IPv4 address/);
  assert.match(problems("jdbc:postgresql://db/my%20customers").join(), /database name/);
});

Deno.test("an invalid URL is never quoted, nor the rest of a password that was not encoded", () => {
  const secret = "tr0ub4dor";
  const wrong = [
    `postgres://user:${secret}@db/customers`,
    `jdbc:postgresql://user:${secret}@db/customers`,
    `jdbc:postgresql://db:${secret}/customers`,
    `jdbc:postgresql://db:99999/customers?password=${secret}`,
    `jdbc:postgresql:customers?password=${secret}`,
    `jdbc:postgresql://db/customers?password=50%${secret}`,
    `jdbc:postgresql://db/customers?password=choose-one&${secret}`,
    `jdbc:postgresql://db/customers?${secret}=1&constructor=1`,
    `jdbc:postgresql://db/customers?sslmode=${secret}&ssl=${secret}`,
    `jdbc:postgresql://db/customers?password=a#${secret}`,
    `jdbc:mysql://db/customers?password=${secret}`,
  ];
  for (const url of wrong) {
    const lines = problems(url);
    assert.ok(lines.length > 0);
    for (const line of lines) assert.ok(line.startsWith("db.") && !line.includes(secret), line);
  }
});

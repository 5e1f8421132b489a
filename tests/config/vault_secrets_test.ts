/** Conversion of secrets to variables, without a Vault. */
import assert from "node:assert/strict";
import { SOURCES } from "../../config/vault_secrets.ts";

const convert = (secret: Record<string, unknown>, environment: readonly string[] = []) =>
  SOURCES.find(({ path }) => path === "customer-service")!.convert(
    secret,
    (variable) => !environment.includes(variable),
  );

Deno.test("a secret may have the URL of PostgreSQL itself, with the login of the pooler's URL", () => {
  const secret = {
    "db.url": "jdbc:postgresql://pooler.example:6432/customers",
    "db.direct_url": "jdbc:postgresql://db.example:5432/customers?sslmode=verify-full",
    "db.username": "svc",
    "db.password": "p@ss",
  };
  const { variables, problems } = convert(secret);
  assert.deepEqual(problems, []);
  assert.match(variables.DATABASE_URL!, /^postgres:\/\/svc:p%40ss@pooler\.example:6432\/customers/);
  assert.equal(
    variables.DATABASE_DIRECT_URL,
    "postgres://svc:p%40ss@db.example:5432/customers?sslmode=verify-full",
  );
  assert.deepEqual(Object.keys(convert({ ...secret, "db.direct_url": "" }).variables), ["DATABASE_URL"]);
  // It belongs to the URL in the secret, and the environment takes precedence.
  assert.deepEqual(convert(secret, ["DATABASE_URL"]).variables, {});
  assert.deepEqual(Object.keys(convert(secret, ["DATABASE_DIRECT_URL"]).variables), ["DATABASE_URL"]);
  for (const wrong of ["jdbc:mysql://x/y", "postgres://svc:tr0ub4dor@db/customers", 42]) {
    const { problems, variables } = convert({ ...secret, "db.direct_url": wrong });
    assert.deepEqual(problems, [
      "db.direct_url: expected jdbc:postgresql://host:port/name?…, percent-encoded",
    ]);
    assert.equal(variables.DATABASE_DIRECT_URL, undefined);
  }
});

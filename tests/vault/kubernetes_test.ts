/** Login to a real Vault as a pod's service account, with a fake token review. */
import assert from "node:assert/strict";
import { ConfigError } from "../../config/mod.ts";
import type { Environment } from "../../config/variables.ts";
import { readVault } from "../../config/vault.ts";
import { startCluster } from "./kubernetes.ts";
import { policyFor, startVault, type VaultServer, vaultTest } from "./server.ts";

const DATABASE = {
  "db.url": "jdbc:postgresql://db/customers",
  "db.username": "svc",
  "db.password": "choose-one",
};

const REFUSED = /: auth\/kubernetes refuses this service account for the role customer-service: /;

async function fill(vault: VaultServer): Promise<void> {
  await vault.put("customer-service", DATABASE);
  await vault.call("PUT", "sys/policies/acl/customer-service", { policy: policyFor(["customer-service"]) });
}

vaultTest(
  "a pod logs in as its service account, and an account without the role is refused with a reason",
  async (t) => {
    await using vault = await startVault();
    await fill(vault);
    await using cluster = await startCluster(vault, ["customer-service"]);
    const env = {
      VAULT_ADDR: vault.address,
      VAULT_K8S_ROLE: "customer-service",
      VAULT_K8S_TOKEN_PATH: cluster.tokenPath,
      KAFKA_BROKERS: "own:1",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://own",
    };

    /** No error quotes a token of the pod. */
    async function refusal(more: Environment): Promise<string> {
      const notes: string[] = [];
      try {
        await readVault({ VAULT_WAIT: "1h", ...env, ...more }, { report: (text) => void notes.push(text) });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        for (const token of cluster.tokens) assert.ok(!`${Deno.inspect(error)}${notes}`.includes(token));
        return error.message;
      }
      assert.fail("the login was accepted");
    }

    await t.step("it reads what the role's policies allow", async () => {
      const given = await readVault(env, { report: () => {} });
      assert.deepEqual(given, {
        DATABASE_URL: "postgres://svc:choose-one@db/customers?sslmode=prefer",
        VAULT_ADDR: "",
        VAULT_K8S_ROLE: "",
        VAULT_K8S_TOKEN_PATH: "",
      });
      assert.match(
        await refusal({ KAFKA_BROKERS: "" }),
        /shared\/kafka: not permitted: the token's policies need read on/,
      );
    });

    await t.step("another role, another mount, another namespace", async () => {
      const message = "Cannot log in to Vault by Kubernetes: ";
      assert.equal(
        await refusal({ VAULT_K8S_ROLE: "cart-service" }),
        `${message}VAULT_K8S_ROLE: auth/kubernetes has no role cart-service`,
      );
      assert.match(
        await refusal({ VAULT_K8S_MOUNT: "clusters/eu" }),
        /: auth\/clusters\/eu refuses this service account .*, or nothing is mounted there$/,
      );
      assert.equal(
        await refusal({ VAULT_NAMESPACE: "nowhere" }),
        `${message}VAULT_NAMESPACE: the namespace does not exist`,
      );
    });

    await t.step(
      "another account, an expired token, another audience, an invalid token, no file",
      async () => {
        await cluster.mount("cart-service");
        assert.match(await refusal({}), REFUSED);
        await cluster.mount("customer-service", { expires: "1m ago" });
        assert.match(await refusal({}), REFUSED);
        await cluster.mount("customer-service", { audience: "data-subjects" });
        assert.match(await refusal({}), REFUSED);
        await Deno.writeTextFile(cluster.tokenPath, "no token");
        assert.match(await refusal({}), REFUSED);
        assert.match(
          await refusal({ VAULT_K8S_TOKEN_PATH: "/nowhere/token" }),
          /Kubernetes: VAULT_K8S_TOKEN_PATH: cannot read the file: NotFound$/,
        );
        await cluster.mount("customer-service");
      },
    );

    await t.step("a cluster whose token review fails", async () => {
      cluster.healthy = false;
      assert.match(await refusal({}), REFUSED);
      cluster.healthy = true;
      await readVault(env, { report: () => {} });
    });
  },
);

vaultTest("the login uses the configured mount and namespace", async () => {
  await using vault = await startVault();
  await fill(vault);
  await using cluster = await startCluster(vault, ["customer-service"], "clusters/eu");
  const given = await readVault({
    VAULT_ADDR: vault.address,
    VAULT_K8S_ROLE: "customer-service",
    VAULT_K8S_MOUNT: "clusters/eu",
    VAULT_K8S_TOKEN_PATH: cluster.tokenPath,
  }, { report: () => {}, variables: ["DATABASE_URL"] });
  assert.equal(given.DATABASE_URL, "postgres://svc:choose-one@db/customers?sslmode=prefer");
});

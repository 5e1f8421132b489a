/** The script that seeds the Vault of deploy/compose.yaml, run against a real Vault. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { SOURCES } from "../../config/vault_secrets.ts";
import { readVault } from "../../config/vault.ts";
import { ENGINE, PROGRAM, startVault, type VaultServer, vaultTest } from "./server.ts";

const SCRIPT = new URL("../../deploy/compose/seed_vault.sh", import.meta.url).pathname;

vaultTest("the service can read the seeded secrets", async () => {
  await using vault = await startVault();
  await vault.call("DELETE", `sys/mounts/${ENGINE}`);
  await seed(vault);
  const values = await read(vault);
  for (const name of SOURCES.flatMap(({ gives }) => gives)) assert.ok(values[name], name);
});

vaultTest("seeding again does not change the keys", async () => {
  await using vault = await startVault();
  await seed(vault);
  const first = await read(vault);
  await seed(vault);
  assert.deepEqual(await read(vault), first);
});

async function seed({ address, rootToken }: VaultServer): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", {
    args: [SCRIPT],
    env: {
      PATH: `${dirname(PROGRAM!)}:${Deno.env.get("PATH")}`,
      BAO_ADDR: address,
      BAO_TOKEN: rootToken,
      SERVICE_PASSWORD: "service",
    },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function read({ address, rootToken }: VaultServer): Promise<Record<string, string>> {
  return await readVault({ VAULT_ADDR: address, VAULT_TOKEN: rootToken }, { report() {} });
}

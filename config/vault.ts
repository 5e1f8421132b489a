/** Reads missing environment variables from Vault, once at start. A changed secret takes effect after a restart. */
import { readAuthority } from "./certificates.ts";
import { ConfigError } from "./mod.ts";
import { isLoopback, vaultContradictions } from "./rules.ts";
import { type Environment, readPeers, readVariables, type Values } from "./variables.ts";
import { openVault, type VaultClient } from "./vault_client.ts";
import { isKnown, logIn, type VaultLogin } from "./vault_login.ts";
import { ENGINE, type Secret, type SecretSource, SOURCES } from "./vault_secrets.ts";

export interface VaultOptions {
  /** Receives sentences about the progress, without secrets. */
  report: (text: string) => void;
  /** Names of the variables to read; by default all that Vault may contain. */
  variables?: readonly string[];
}

/**
 * Reads the variables that the environment lacks from Vault; returns {} without VAULT_ADDR. The result overrides the
 * environment, also that of child processes. It sets the Vault variables to "", so that a child does not read again.
 *
 * @throws {ConfigError} naming every invalid Vault variable or every invalid secret; or Vault was unavailable or sealed
 * for as long as VAULT_WAIT
 */
export async function readVault(
  env: Environment,
  { report, variables }: VaultOptions,
): Promise<Record<string, string>> {
  if (!env.VAULT_ADDR) return {};
  const { values, problems } = readVariables(env);
  problems.push(...readPeers(env).problems, ...vaultContradictions(env, values));
  if (problems.length > 0) {
    throw new ConfigError(["Cannot start: the environment is wrong", ...problems].join("\n  "));
  }
  const lacks = (variable: string) => !env[variable] && (variables?.includes(variable) ?? true);
  const secrets = await readSources(values as Values, lacks, report);
  const added = Object.entries(secrets).filter(([variable]) => !env[variable]);
  const vaultVariables = Object.keys(env).filter((name) => name.startsWith("VAULT_"));
  return Object.fromEntries([...added, ...vaultVariables.map((name) => [name, ""])]);
}

async function readSources(
  values: Values,
  lacks: (variable: string) => boolean,
  report: (text: string) => void,
): Promise<Record<string, string>> {
  const sources = SOURCES.filter(({ gives }) => gives.some(lacks));
  if (sources.length === 0) return {};
  const address = values.VAULT_ADDR!;
  if (address.protocol === "http:" && !isLoopback(address.hostname)) {
    report("VAULT_ADDR is http: the token and the secrets are sent in plain text");
  }
  const ca = values.VAULT_CACERT === undefined ? undefined : await readAuthority(values.VAULT_CACERT, {
    failurePrefix: "Cannot read from Vault",
    variable: "VAULT_CACERT",
  });
  using vault = openVault(
    { address, namespace: values.VAULT_NAMESPACE, ca, waitMs: values.VAULT_WAIT },
    report,
  );
  const token = await logIn(vault, login(values));
  const secrets: Record<string, string> = {};
  const problems: string[] = [];
  for (const source of sources) {
    const path = `${ENGINE}/${source.path}`;
    const result = await readSource(vault, token, source, lacks);
    if (result.problem) problems.push(`${path}: ${result.problem}`);
    if (!result.secret) continue;
    const converted = source.convert(result.secret, lacks);
    problems.push(...converted.problems.map((problem) => `${path}: ${problem}`));
    for (const note of converted.notes) report(`${path}: ${note}`);
    Object.assign(secrets, converted.variables);
  }
  if (problems.length > 0) {
    throw new ConfigError(
      ["Cannot start: secrets in Vault are missing or invalid", ...problems].join("\n  "),
    );
  }
  report(`Read from Vault: ${Object.keys(secrets).join(", ") || "nothing"}`);
  return secrets;
}

function login(values: Values): VaultLogin {
  if (values.VAULT_TOKEN) return { by: "token", token: values.VAULT_TOKEN };
  const { VAULT_K8S_ROLE: role, VAULT_K8S_MOUNT: mount, VAULT_K8S_TOKEN_PATH: tokenPath } = values;
  if (!role) throw new Error("Vault without a role or token passed the validation");
  return { by: "kubernetes", role, mount, tokenPath };
}

async function readSource(
  vault: VaultClient,
  token: string,
  { path, required }: SecretSource,
  lacks: (variable: string) => boolean,
): Promise<{ secret?: Secret; problem?: string }> {
  const { status, errors, body } = await vault.request({
    method: "GET",
    path: `${ENGINE}/data/${path}`,
    token,
  });
  if (status === 200) {
    const secret = dataOf(body);
    return secret ? { secret } : { problem: "it is not a KV engine of version 2" };
  }
  if (status === 403) {
    if (await isKnown(vault, token)) {
      return { problem: `not permitted: the token's policies need read on ${ENGINE}/data/${path}` };
    }
    throw new ConfigError(
      "Cannot read from Vault: the token is invalid, has expired, or may not call lookup-self",
    );
  }
  if (status !== 404) return { problem: `Vault refuses with HTTP ${status}` };
  if (/namespace not found/i.test(errors)) {
    throw new ConfigError("Cannot read from Vault: VAULT_NAMESPACE: the namespace does not exist");
  }
  if (/no handler for route/i.test(errors)) return { problem: `nothing is mounted at ${ENGINE}` };
  return required !== undefined && lacks(required)
    ? { problem: "the secret does not exist, or is deleted" }
    : {};
}

function dataOf(body: unknown): Secret | undefined {
  const outer = field(body, "data");
  const inner = field(outer, "data");
  return inner && typeof inner === "object" && field(outer, "metadata") ? inner as Secret : undefined;
}

function field(value: unknown, name: string): unknown {
  return value && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
}

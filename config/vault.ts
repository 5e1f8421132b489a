/** What the environment lacks and Vault has. Read once at start: whoever changes a secret restarts the service. */
import { readAuthority } from "./certificates.ts";
import { ConfigError } from "./mod.ts";
import { isLoopback, vaultContradictions } from "./rules.ts";
import { type Environment, readPeers, readVariables, type Values } from "./variables.ts";
import { openVault, type VaultClient } from "./vault_client.ts";
import { isKnown, logIn, type VaultLogin } from "./vault_login.ts";
import { ENGINE, type Secret, type Source, SOURCES } from "./vault_secrets.ts";

/** What to do with what Vault has given. */
export interface VaultOptions {
  /** Is given sentences about progress, without anything that is secret. */
  tell: (text: string) => void;
  /** The variables that are wanted; absent: all that Vault may have. */
  wanted?: readonly string[];
}

/**
 * Asks Vault for what the environment does not say; without VAULT_ADDR, nobody. What comes back goes over the
 * environment, here and in the environment of a child process, which then does not ask again: it holds what was
 * lacking, and empties the variables about Vault.
 *
 * @throws {ConfigError} naming at once whatever is wrong with the variables about Vault or with what stands there;
 * or that Vault has been away, or sealed, for as long as VAULT_WAIT
 */
export async function readVault(
  env: Environment,
  { tell, wanted }: VaultOptions,
): Promise<Record<string, string>> {
  if (!env.VAULT_ADDR) return {};
  const { values, problems } = readVariables(env);
  problems.push(...readPeers(env).problems, ...vaultContradictions(env, values));
  if (problems.length > 0) {
    throw new ConfigError(["Cannot start: the environment is wrong", ...problems].join("\n  "));
  }
  const lacks = (variable: string) => !env[variable] && (wanted?.includes(variable) ?? true);
  const found = await readSources(values as Values, lacks, tell);
  const given = Object.entries(found).filter(([variable]) => !env[variable]);
  const asked = Object.keys(env).filter((name) => name.startsWith("VAULT_"));
  return Object.fromEntries([...given, ...asked.map((name) => [name, ""])]);
}

async function readSources(
  values: Values,
  lacks: (variable: string) => boolean,
  tell: (text: string) => void,
): Promise<Record<string, string>> {
  const sources = SOURCES.filter(({ gives }) => gives.some(lacks));
  if (sources.length === 0) return {};
  const address = values.VAULT_ADDR!;
  if (address.protocol === "http:" && !isLoopback(address.hostname)) {
    tell("VAULT_ADDR is http: the token and the secrets travel readable for everybody on the way");
  }
  const ca = values.VAULT_CACERT === undefined
    ? undefined
    : await readAuthority(values.VAULT_CACERT, { purpose: "Cannot ask Vault", variable: "VAULT_CACERT" });
  using vault = openVault(
    { address, namespace: values.VAULT_NAMESPACE, ca, waitMs: values.VAULT_WAIT },
    tell,
  );
  const token = await logIn(vault, login(values));
  const found: Record<string, string> = {};
  const problems: string[] = [];
  for (const source of sources) {
    const place = `${ENGINE}/${source.path}`;
    const read = await readSource(vault, token, source, lacks);
    if (read.problem) problems.push(`${place}: ${read.problem}`);
    if (!read.secret) continue;
    const converted = source.convert(read.secret, lacks);
    problems.push(...converted.problems.map((problem) => `${place}: ${problem}`));
    for (const note of converted.notes) tell(`${place}: ${note}`);
    Object.assign(found, converted.variables);
  }
  if (problems.length > 0) {
    throw new ConfigError(["Cannot start: Vault does not have what is expected", ...problems].join("\n  "));
  }
  tell(`Vault has given ${Object.keys(found).join(", ") || "nothing"}`);
  return found;
}

function login(values: Values): VaultLogin {
  if (values.VAULT_TOKEN) return { by: "token", token: values.VAULT_TOKEN };
  const { VAULT_K8S_ROLE: role, VAULT_K8S_MOUNT: mount, VAULT_K8S_TOKEN_PATH: tokenPath } = values;
  if (!role) throw new Error("Vault without a login has passed the rules");
  return { by: "kubernetes", role, mount, tokenPath };
}

async function readSource(
  vault: VaultClient,
  token: string,
  { path, required }: Source,
  lacks: (variable: string) => boolean,
): Promise<{ secret?: Secret; problem?: string }> {
  const { status, errors, body } = await vault.ask({ method: "GET", path: `${ENGINE}/data/${path}`, token });
  if (status === 200) {
    const secret = dataOf(body);
    return secret ? { secret } : { problem: `what answers is no KV engine of version 2` };
  }
  if (status === 403) {
    if (await isKnown(vault, token)) {
      return { problem: `not permitted: the token's policies need read on ${ENGINE}/data/${path}` };
    }
    throw new ConfigError(
      "Cannot read from Vault: the token is wrong, has expired, or may not even look at itself",
    );
  }
  if (status !== 404) return { problem: `Vault refuses with HTTP ${status}` };
  if (/namespace not found/i.test(errors)) {
    throw new ConfigError("Cannot read from Vault: VAULT_NAMESPACE: there is no such namespace");
  }
  if (/no handler for route/i.test(errors)) return { problem: `nothing is mounted at ${ENGINE}` };
  return required !== undefined && lacks(required) ? { problem: "nothing is there, or it is deleted" } : {};
}

function dataOf(body: unknown): Secret | undefined {
  const outer = field(body, "data");
  const inner = field(outer, "data");
  return inner && typeof inner === "object" && field(outer, "metadata") ? inner as Secret : undefined;
}

function field(value: unknown, name: string): unknown {
  return value && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
}

/** Login to Vault by a given token, or by Kubernetes with the pod's service account. */
import { z } from "zod";
import { ConfigError } from "./mod.ts";
import { readVariableFile } from "./variable_file.ts";
import type { VaultClient, VaultResponse } from "./vault_client.ts";

export type VaultLogin =
  | { by: "token"; token: string }
  /** `tokenPath` is read for each login, because Kubernetes renews the file. */
  | { by: "kubernetes"; role: string; mount: string; tokenPath: string };

const FAILURE_PREFIX = "Cannot log in to Vault by Kubernetes";

const LoggedIn = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/** @throws {ConfigError} the login is refused */
export async function logIn(vault: VaultClient, login: VaultLogin): Promise<string> {
  if (login.by === "token") return login.token;
  const context = { failurePrefix: FAILURE_PREFIX, variable: "VAULT_K8S_TOKEN_PATH" };
  const jwt = (await readVariableFile(login.tokenPath, context)).trim();
  const path = `auth/${login.mount}/login`;
  const answer = await vault.request({ method: "POST", path, body: { role: login.role, jwt } });
  const { success, data } = LoggedIn.safeParse(answer.body);
  if (answer.status === 200 && success) return data.auth.client_token;
  throw new ConfigError(`${FAILURE_PREFIX}: ${refusal(answer, login)}`);
}

function refusal(
  { status, errors }: VaultResponse,
  { role, mount }: Extract<VaultLogin, { by: "kubernetes" }>,
): string {
  if (/namespace not found/i.test(errors)) return "VAULT_NAMESPACE: the namespace does not exist";
  if (/invalid role name/i.test(errors)) return `VAULT_K8S_ROLE: auth/${mount} has no role ${role}`;
  if (status === 403) {
    return `auth/${mount} refuses this service account for the role ${role}: it is not bound to the role, its token ` +
      "has expired or is for another audience, Vault cannot call the token review, or nothing is mounted there";
  }
  return `auth/${mount} refuses with HTTP ${status}`;
}

/** Whether the token is valid, after Vault has denied a request. By default every token may call lookup-self. */
export async function isKnown(vault: VaultClient, token: string): Promise<boolean> {
  return (await vault.request({ method: "GET", path: "auth/token/lookup-self", token })).status === 200;
}

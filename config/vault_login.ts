/** The token that Vault is asked with: a given one, or that of a role for the pod's service account. */
import { z } from "zod";
import { ConfigError } from "./mod.ts";
import { readNamed } from "./named_file.ts";
import type { Answer, VaultClient } from "./vault_client.ts";

export type VaultLogin =
  | { by: "token"; token: string }
  /** `tokenPath` is read anew for each login, since Kubernetes renews the file. */
  | { by: "kubernetes"; role: string; mount: string; tokenPath: string };

const PURPOSE = "Cannot log in to Vault by Kubernetes";

const LoggedIn = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/** @throws {ConfigError} the login is refused */
export async function logIn(vault: VaultClient, login: VaultLogin): Promise<string> {
  if (login.by === "token") return login.token;
  const named = { purpose: PURPOSE, variable: "VAULT_K8S_TOKEN_PATH" };
  const jwt = (await readNamed(login.tokenPath, named)).trim();
  const path = `auth/${login.mount}/login`;
  const answer = await vault.ask({ method: "POST", path, body: { role: login.role, jwt } });
  const { success, data } = LoggedIn.safeParse(answer.body);
  if (answer.status === 200 && success) return data.auth.client_token;
  throw new ConfigError(`${PURPOSE}: ${refusal(answer, login)}`);
}

function refusal(
  { status, errors }: Answer,
  { role, mount }: Extract<VaultLogin, { by: "kubernetes" }>,
): string {
  if (/namespace not found/i.test(errors)) return "VAULT_NAMESPACE: there is no such namespace";
  if (/invalid role name/i.test(errors)) return `VAULT_K8S_ROLE: auth/${mount} has no role ${role}`;
  if (status === 403) {
    return `auth/${mount} does not take this service account for the role ${role}: it is not bound to the role, its ` +
      "token has expired or is for another audience, Vault cannot have it reviewed, or nothing is mounted there";
  }
  return `auth/${mount} refuses with HTTP ${status}`;
}

/** Whether Vault knows the token, when it has denied something; every token may look at itself by default. */
export async function isKnown(vault: VaultClient, token: string): Promise<boolean> {
  return (await vault.ask({ method: "GET", path: "auth/token/lookup-self", token })).status === 200;
}

/** Asks Vault: waits for one that is away, says in words what it refuses, and never what it answers. */
import { pause as delay } from "../lib/timeout.ts";
import { ConfigError } from "./mod.ts";

export interface VaultPlace {
  address: URL;
  /** Vault's own kind of tenant. */
  namespace: string | undefined;
  /** PEM; an authority beside those that Deno knows. */
  ca: string | undefined;
  /** How long a Vault that is away or sealed is waited for, in milliseconds, from now on. */
  waitMs: number;
}

export interface Question {
  method: "GET" | "POST";
  /** Below /v1/. */
  path: string;
  token?: string;
  body?: Record<string, string>;
}

export interface Answer {
  status: number;
  /** What it says went wrong; for comparing only. */
  errors: string;
  body: unknown;
}

export interface VaultClient extends Disposable {
  /** @throws {ConfigError} Vault stays away, or is none */
  ask(question: Question): Promise<Answer>;
}

/** One question, in milliseconds. */
const ANSWER_MS = 5_000;
const PAUSES = { firstMs: 250, longestMs: 5_000 };
/** Of a server that may answer later: a standby that has lost its active node, a balancer, a limit of rate. */
const LATER = [412, 429, 472, 473, 500, 502, 503, 504];

/** @param tell is given sentences about progress */
export function openVault(place: VaultPlace, tell: (text: string) => void): VaultClient {
  const client = Deno.createHttpClient(place.ca === undefined ? {} : { caCerts: [place.ca] });
  const deadline = Date.now() + place.waitMs;
  let told = "";

  async function ask(question: Question): Promise<Answer> {
    for (let pause = PAUSES.firstMs;; pause = Math.min(pause * 2, PAUSES.longestMs)) {
      const answer = await askOnce(place, client, question);
      if (typeof answer !== "string") return answer;
      const left = deadline - Date.now();
      if (left <= 0) {
        throw new ConfigError(
          `Cannot go on: Vault ${answer}, and has been waited for ${place.waitMs / 1_000} seconds`,
        );
      }
      if (answer !== told) tell(`Vault ${answer}: waiting for up to ${Math.ceil(left / 1_000)} seconds`);
      told = answer;
      await delay(Math.min(pause * (0.75 + Math.random() / 2), left));
    }
  }

  return { ask, [Symbol.dispose]: () => client.close() };
}

/** @returns why Vault is away, in words that complete "Vault …", where that may pass */
async function askOnce(
  place: VaultPlace,
  client: Deno.HttpClient,
  question: Question,
): Promise<Answer | string> {
  const { address, namespace } = place;
  const { method, path, token, body } = question;
  const base = address.href.endsWith("/") ? address.href : `${address.href}/`;
  try {
    const response = await fetch(new URL(`v1/${path}`, base), {
      client,
      method,
      redirect: "manual", // the token is for this address alone
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: {
        "x-vault-request": "true", // asked for by an agent that guards against forged requests
        ...(token === undefined ? {} : { "x-vault-token": token }),
        ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return read(response.status, await response.text());
  } catch (error) {
    return unreachable(error, address);
  }
}

function read(status: number, text: string): Answer | string {
  if (LATER.includes(status)) {
    return status === 503 && /sealed/i.test(text)
      ? "is sealed or not initialized"
      : `answers with an error (HTTP ${status})`;
  }
  if (status >= 300 && status < 400) {
    throw new ConfigError(
      `Cannot read from Vault: VAULT_ADDR sends to another address (HTTP ${status}): name that one`,
    );
  }
  try {
    const body: unknown = text === "" ? {} : JSON.parse(text);
    return { status, errors: errorsOf(body), body };
  } catch {
    throw new ConfigError(`Cannot read from Vault: what answers at VAULT_ADDR (HTTP ${status}) is no Vault`);
  }
}

function errorsOf(body: unknown): string {
  const errors = body && typeof body === "object" && "errors" in body ? body.errors : [];
  return Array.isArray(errors) ? errors.join("\n") : "";
}

function unreachable(error: unknown, { origin }: URL): string {
  if (error instanceof ConfigError) throw error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `at ${origin} does not answer within ${ANSWER_MS / 1_000} seconds`;
  }
  if (!(error instanceof TypeError)) throw error;
  const { message } = error.cause instanceof Error ? error.cause : error;
  if (/certificate/i.test(message)) {
    throw new ConfigError(
      `Cannot read from Vault: ${origin} shows a certificate that is not for it, not valid, or of an authority ` +
        "that Deno does not know; VAULT_CACERT names the file of one",
    );
  }
  // The network's own words stand at the end of a message that repeats the whole address.
  return `at ${origin} cannot be reached (${message.split(": ").at(-1)})`;
}

/** HTTP client for Vault. Retries while Vault is unavailable. Error messages never quote a response. */
import { pause as delay } from "../lib/timeout.ts";
import { ConfigError } from "./mod.ts";

export interface VaultConnection {
  address: URL;
  /** Vault namespace. */
  namespace: string | undefined;
  /** PEM: a certificate authority in addition to those that Deno trusts. */
  ca: string | undefined;
  /** Time to retry while Vault is unavailable or sealed, in milliseconds from the opening of the client. */
  waitMs: number;
}

export interface VaultRequest {
  method: "GET" | "POST";
  /** Path below /v1/. */
  path: string;
  token?: string;
  body?: Record<string, string>;
}

export interface VaultResponse {
  status: number;
  /** Vault's error messages, for comparison only. */
  errors: string;
  body: unknown;
}

export interface VaultClient extends Disposable {
  /** @throws {ConfigError} Vault stays unavailable, or the server is not Vault */
  request(request: VaultRequest): Promise<VaultResponse>;
}

/** Timeout of one request. */
const REQUEST_TIMEOUT_MS = 5_000;
const PAUSES = { firstMs: 250, longestMs: 5_000 };
/** Retryable statuses: a standby without an active node, a load balancer, a rate limit. */
const RETRYABLE = [412, 429, 472, 473, 500, 502, 503, 504];

/** @param report receives sentences about the progress */
export function openVault(connection: VaultConnection, report: (text: string) => void): VaultClient {
  const client = Deno.createHttpClient(connection.ca === undefined ? {} : { caCerts: [connection.ca] });
  const deadline = Date.now() + connection.waitMs;
  let reported = "";

  async function request(request: VaultRequest): Promise<VaultResponse> {
    for (let pause = PAUSES.firstMs;; pause = Math.min(pause * 2, PAUSES.longestMs)) {
      const outcome = await requestOnce(connection, client, request);
      if (typeof outcome !== "string") return outcome;
      const remainingMs = deadline - Date.now();
      if (remainingMs <= 0) {
        throw new ConfigError(
          `Cannot read from Vault: Vault ${outcome}; gave up after ${connection.waitMs / 1_000} seconds`,
        );
      }
      if (outcome !== reported) {
        report(`Vault ${outcome}: retrying for up to ${Math.ceil(remainingMs / 1_000)} seconds`);
      }
      reported = outcome;
      await delay(Math.min(pause * (0.75 + Math.random() / 2), remainingMs));
    }
  }

  return { request, [Symbol.dispose]: () => client.close() };
}

/** @returns the response, or for a retryable failure a string that completes "Vault …" */
async function requestOnce(
  { address, namespace }: VaultConnection,
  client: Deno.HttpClient,
  { method, path, token, body }: VaultRequest,
): Promise<VaultResponse | string> {
  const base = address.href.endsWith("/") ? address.href : `${address.href}/`;
  try {
    const response = await fetch(new URL(`v1/${path}`, base), {
      client,
      method,
      redirect: "manual", // the token must reach this address only
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        "x-vault-request": "true", // required by Vault Agent against forged requests
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

function read(status: number, text: string): VaultResponse | string {
  if (RETRYABLE.includes(status)) {
    return status === 503 && /sealed/i.test(text)
      ? "is sealed or not initialized"
      : `returns an error (HTTP ${status})`;
  }
  if (status >= 300 && status < 400) {
    throw new ConfigError(
      `Cannot read from Vault: VAULT_ADDR redirects to another address (HTTP ${status}): use that address`,
    );
  }
  try {
    const body: unknown = text === "" ? {} : JSON.parse(text);
    return { status, errors: errorsOf(body), body };
  } catch {
    throw new ConfigError(`Cannot read from Vault: the server at VAULT_ADDR (HTTP ${status}) is not Vault`);
  }
}

function errorsOf(body: unknown): string {
  const errors = body && typeof body === "object" && "errors" in body ? body.errors : [];
  return Array.isArray(errors) ? errors.join("\n") : "";
}

function unreachable(error: unknown, { origin }: URL): string {
  if (error instanceof ConfigError) throw error;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `at ${origin} does not respond within ${REQUEST_TIMEOUT_MS / 1_000} seconds`;
  }
  if (!(error instanceof TypeError)) throw error;
  const { message } = error.cause instanceof Error ? error.cause : error;
  if (/certificate/i.test(message)) {
    throw new ConfigError(
      `Cannot read from Vault: the certificate of ${origin} is invalid, for another host, or signed by an unknown ` +
        "authority; VAULT_CACERT names the file of an authority to trust",
    );
  }
  // The message repeats the whole address and ends with the network error.
  return `at ${origin} cannot be reached (${message.split(": ").at(-1)})`;
}

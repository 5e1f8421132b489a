/** Authentication and authorization of gRPC callers. Only services may call; a person's token is refused, whatever its roles. */
import { DomainError, type ErrorCode } from "../domain/errors.ts";
import type { Principal } from "../domain/principal.ts";
import { parseForwardedCertificates } from "./forwarded_certificates.ts";
import type { ServiceClients } from "../config/mod.ts";
import { serviceOfClient } from "./service_clients.ts";
import { CertificateError, subjectAltUris } from "./subject_alt_names.ts";
import type { TokenVerifier } from "./token.ts";

/** Another service of the platform. */
export interface Caller {
  /** Name of the service account, "cart-service". */
  service: string;
  /** Authentication is off, so the caller may act as any service. */
  unproven?: true;
  /** The only store that it may ask about, a UUID in lower case; undefined for a service of all stores. */
  storeId?: string | undefined;
  /** `storeId` is part of its credentials. Absent: the call itself names the store. */
  storeProven?: true;
}

/** A refusal of a caller that has proven who it is: a service, by its name or its SPIFFE ID, or a person. */
export class CallerRefusedError extends DomainError {
  override name = "CallerRefusedError";

  constructor(code: ErrorCode, message: string, readonly caller: Caller | Principal) {
    super(code, message);
  }
}

/** Headers and certificate of a call, as the transport received them. */
export interface CallEvidence {
  /** All values of a header. The name is in lower case. */
  header(name: string): readonly string[];
  /** Network address of the caller. */
  address?: string;
  /** The client certificate of the TLS handshake, whose chain the transport has verified. */
  certificate(): ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** DER. */
  raw: Uint8Array;
}

/**
 * Authenticates the caller of a method and checks that it may call it. Refusals are thrown, or reject the promise.
 *
 * @throws {DomainError} UNAUTHENTICATED: the caller is unknown. FORBIDDEN: it may not call this method. If the caller
 * has proven who it is, a CallerRefusedError.
 */
export type Admit<Method extends string> = (
  method: Method,
  evidence: CallEvidence,
) => Caller | Promise<Caller>;

/** SPIFFE IDs that are accepted as services: `spiffe://<trustDomain>/ns/<namespace>/sa/<service>`. */
export interface CallerIdentities {
  trustDomain: string;
  /** A service account has the same rights in each of them. */
  namespaces: readonly string[];
}

/** Authentication of callers. */
export type CallerProof =
  | ({ mode: "mtls" | "mesh" } & CallerIdentities)
  | {
    mode: "token";
    verifyToken: TokenVerifier;
    clients?: ServiceClients | undefined;
  }
  /** No authentication, so the server must listen on loopback only. */
  | { mode: "none" };

export type AdmissionOptions<Method extends string> = CallerProof & {
  /** The services that may call each method. */
  callers: Readonly<Record<Method, readonly string[]>>;
};

/** Name of the caller while authentication is off. It may call every method. */
const ANONYMOUS = "anonymous";

export function createAdmission<Method extends string>(options: AdmissionOptions<Method>): Admit<Method> {
  const authenticate = createAuthentication(options);
  const allowed = options.callers;
  const authorize = (method: Method, caller: Caller): Caller => {
    if (caller.unproven || allowed[method].includes(caller.service)) return caller;
    throw new CallerRefusedError(
      "FORBIDDEN",
      `Cannot call ${method}: ${caller.service} is not one of its allowed callers`,
      caller,
    );
  };
  return (method, evidence) => {
    const caller = authenticate(evidence);
    if (!(caller instanceof Promise)) return authorize(method, caller);
    return caller.then((caller) => authorize(method, caller));
  };
}

type Authenticate = (evidence: CallEvidence) => Caller | Promise<Caller>;

function createAuthentication(options: CallerProof): Authenticate {
  switch (options.mode) {
    case "none":
      return (evidence) => ({ service: ANONYMOUS, unproven: true, storeId: storeOf(evidence) });
    case "token":
      return (evidence) => authenticateByToken(evidence, options);
    case "mtls": {
      const identify = rememberCertificates((certificate) =>
        serviceOf(certificateUris(certificate), options)
      );
      return (evidence) => ({ service: identify(evidence.certificate()?.raw), storeId: storeOf(evidence) });
    }
    case "mesh": {
      const identify = rememberTexts((header) => serviceOf(forwardedUris(header), options));
      return (evidence) => ({
        service: identify(evidence.header("x-forwarded-client-cert").join(",")),
        storeId: storeOf(evidence),
      });
    }
  }
}

/** Remembers the service of a certificate for as long as its connection has the certificate. */
function rememberCertificates(identify: (certificate: Uint8Array) => string) {
  const services = new WeakMap<Uint8Array, string>();
  return (certificate: Uint8Array | undefined): string => {
    if (!certificate) throw unknown("it sent no certificate");
    let service = services.get(certificate);
    if (service === undefined) services.set(certificate, service = identify(certificate));
    return service;
  };
}

/** Headers that are remembered at once, and the characters of the longest one: at most a megabyte. */
const REMEMBERED_HEADERS = 500;
const REMEMBERED_CHARACTERS = 2_000;

/**
 * Remembers the service of a header, which depends on nothing else. Refusals are not remembered. Clients repeat their
 * headers, so a simple cache that is emptied when it is full suffices.
 */
function rememberTexts(identify: (header: string) => string) {
  const services = new Map<string, string>();
  return (header: string): string => {
    const known = services.get(header);
    if (known !== undefined) return known;
    const service = identify(header);
    if (services.size >= REMEMBERED_HEADERS) services.clear();
    if (header.length <= REMEMBERED_CHARACTERS) services.set(header, service);
    return service;
  };
}

async function authenticateByToken(
  evidence: CallEvidence,
  { verifyToken, clients = {} }: Extract<CallerProof, { mode: "token" }>,
): Promise<Caller> {
  const [value, ...more] = evidence.header("authorization");
  if (more.length > 0) throw unknown("metadata authorization has more than one value");
  const token = value?.match(/^Bearer +([\w.~+/-]+=*)$/i)?.[1];
  if (!token) throw unknown("metadata authorization has no bearer token");
  const { principal, service: clientId } = await verifyToken(token, evidence.address);
  if (principal.type !== "SYSTEM" || !clientId) {
    throw new CallerRefusedError(
      "FORBIDDEN",
      `Cannot call: the token of ${principal.id} does not belong to a service`,
      principal,
    );
  }
  const service = serviceOfClient(clientId, clients);
  if (service !== undefined) return { service, storeId: principal.storeId, storeProven: true };
  throw new CallerRefusedError(
    "FORBIDDEN",
    `Cannot call: the token's client ID ${clientId} is not one of those configured for that service`,
    { ...principal, service: clientId },
  );
}

function certificateUris(certificate: Uint8Array): readonly string[] {
  try {
    return subjectAltUris(certificate);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw unknown(`its certificate cannot be read: ${error.message}`);
  }
}

/** The URIs of the caller's certificate, as the nearest proxy of the mesh has forwarded them. */
function forwardedUris(header: string): readonly string[] {
  const chain = parseForwardedCertificates(header);
  const nearest = chain?.at(-1);
  if (!nearest) throw unknown("metadata x-forwarded-client-cert is missing or malformed");
  return nearest.filter(([key]) => key === "uri").map(([, value]) => value);
}

/** The service account of a SPIFFE ID. The trust domain must match, because anyone can run one. */
function serviceOf(names: readonly string[], { trustDomain, namespaces }: CallerIdentities): string {
  const [name, ...more] = names;
  if (!name || more.length > 0) throw unknown("its certificate does not carry exactly one URI");
  const [, domain, namespace = "", service] =
    name.match(/^spiffe:\/\/([^/]+)\/ns\/([\w.-]+)\/sa\/([\w.-]+)$/) ?? [];
  if (!service) {
    throw unknown("its certificate's URI is not spiffe://<trust domain>/ns/<namespace>/sa/<service>");
  }
  if (domain !== trustDomain) {
    throw outsider(name, `the trust domain ${trustDomain}`);
  }
  if (!namespaces.includes(namespace)) {
    throw outsider(name, `one of the namespaces ${namespaces.join(", ")}`);
  }
  return service;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function storeOf(evidence: CallEvidence): string | undefined {
  const [value, ...more] = evidence.header("x-store-id");
  if (value === undefined) return undefined;
  if (more.length > 0 || !UUID.test(value)) {
    throw new DomainError("INVALID_INPUT", "Cannot call: metadata x-store-id is not a UUID");
  }
  return value.toLowerCase();
}

function unknown(reason: string): DomainError {
  return new DomainError("UNAUTHENTICATED", unauthenticated(reason));
}

/** A service of another trust domain or namespace: its name counts for nothing here, but its SPIFFE ID is proven. */
function outsider(spiffeId: string, place: string): DomainError {
  const message = unauthenticated(`its certificate does not belong to ${place}`);
  return new CallerRefusedError("UNAUTHENTICATED", message, { service: spiffeId });
}

const unauthenticated = (reason: string) => `Cannot authenticate the caller: ${reason}`;

/** Which service calls over gRPC, and for which store. A person's token is no service, whatever its roles. */
import { DomainError } from "../domain/errors.ts";
import { parseForwardedCertificates } from "./forwarded_certificates.ts";
import { CertificateError, subjectAltUris } from "./subject_alt_names.ts";
import type { TokenVerifier } from "./token.ts";

/** Another service of the platform. */
export interface Caller {
  /** Its service account, "cart-service". */
  service: string;
  /** Nobody has to prove who calls, so it may call as any service. */
  unproven?: true;
  /** The one store that it may ask about; undefined where it serves all of them. UUID in lower case. */
  storeId?: string | undefined;
}

/** What a transport can show of the other side. */
export interface CallEvidence {
  /** The values of a header, which may be several. The name in lower case. */
  header(name: string): readonly string[];
  /** The certificate that the client has proved to own, in a chain that the transport has verified. */
  certificate(): ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** DER. */
  raw: Uint8Array;
}

/**
 * Decides who calls a method and whether it may.
 *
 * @throws {DomainError} UNAUTHENTICATED: the caller is unknown. FORBIDDEN: it is known and may not call this.
 */
export type Admit<Method extends string> = (method: Method, evidence: CallEvidence) => Promise<Caller>;

/** The SPIFFE identities that count as services: `spiffe://<trustDomain>/ns/<namespace>/sa/<service>`. */
export interface CallerIdentities {
  trustDomain: string;
  /** A service account is taken by its name in each of these. */
  namespaces: readonly string[];
}

/** How callers prove who they are. */
export type CallerProof =
  | ({ mode: "mtls" | "mesh" } & CallerIdentities)
  | {
    mode: "token";
    verifyToken: TokenVerifier;
    /** Services by their client IDs, where the two differ. A service in it is known by these client IDs only. */
    clients?: Readonly<Record<string, string>> | undefined;
  }
  /** No proof at all, so the server must be bound to loopback. */
  | { mode: "none" };

export type AdmissionOptions<Method extends string> = CallerProof & {
  /** The services that may call each method. */
  callers: Readonly<Record<Method, readonly string[]>>;
};

/** Who calls where nobody has to prove anything; it may call every method. */
const ANYBODY = "anonymous";

export function createAdmission<Method extends string>(options: AdmissionOptions<Method>): Admit<Method> {
  return async (method, evidence) => {
    if (options.mode === "none") return { service: ANYBODY, unproven: true, storeId: storeOf(evidence) };
    const caller = options.mode === "token"
      ? await byToken(evidence, options)
      : { service: serviceOf(certifiedName(options.mode, evidence), options), storeId: storeOf(evidence) };
    if (!options.callers[method].includes(caller.service)) {
      throw new DomainError("FORBIDDEN", `Cannot call ${method}: not allowed to ${caller.service}`);
    }
    return caller;
  };
}

async function byToken(
  evidence: CallEvidence,
  { verifyToken, clients = {} }: Extract<CallerProof, { mode: "token" }>,
): Promise<Caller> {
  const [value, ...more] = evidence.header("authorization");
  if (more.length > 0) throw unknown("metadata authorization has more than one value");
  const token = value?.match(/^Bearer +([\w.~+/-]+=*)$/i)?.[1];
  if (!token) throw unknown("metadata authorization has no bearer token");
  const { principal, service: clientId } = await verifyToken(token);
  if (principal.type !== "SYSTEM" || !clientId) {
    throw new DomainError("FORBIDDEN", `Cannot call: the token of ${principal.id} is not a service's`);
  }
  return { service: serviceOfClient(clientId, clients), storeId: principal.storeId };
}

/** A client that calls itself by the name of a service with other client IDs is not that service. */
function serviceOfClient(clientId: string, clients: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(clients, clientId)) return clients[clientId]!;
  if (!Object.values(clients).includes(clientId)) return clientId;
  throw new DomainError(
    "FORBIDDEN",
    `Cannot call: ${clientId} has other client IDs than the one of this token`,
  );
}

/** The URI of the caller's certificate, as the connection or the mesh's nearest proxy shows it. */
function certifiedName(mode: "mtls" | "mesh", evidence: CallEvidence): string {
  const names = mode === "mtls" ? certificateUris(evidence.certificate()) : forwardedUris(evidence);
  const [name, ...more] = names;
  if (!name || more.length > 0) throw unknown("its certificate does not carry exactly one URI");
  return name;
}

function certificateUris(certificate: ClientCertificate | undefined): string[] {
  if (!certificate) throw unknown("it has shown no certificate");
  try {
    return subjectAltUris(certificate.raw);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    throw unknown(`its certificate cannot be read: ${error.message}`);
  }
}

function forwardedUris(evidence: CallEvidence): readonly string[] {
  const chain = parseForwardedCertificates(evidence.header("x-forwarded-client-cert").join(","));
  const nearest = chain?.at(-1);
  if (!nearest) throw unknown("metadata x-forwarded-client-cert is missing or malformed");
  return nearest.filter(([key]) => key === "uri").map(([, value]) => value);
}

/** The service account of a SPIFFE ID; the ID is compared as a whole, since anyone may run a trust domain. */
function serviceOf(name: string, { trustDomain, namespaces }: CallerIdentities): string {
  const [, domain, namespace = "", service] =
    name.match(/^spiffe:\/\/([^/]+)\/ns\/([\w.-]+)\/sa\/([\w.-]+)$/) ?? [];
  if (!service) {
    throw unknown("its certificate's URI is not spiffe://<trust domain>/ns/<namespace>/sa/<service>");
  }
  if (domain !== trustDomain) throw unknown(`its certificate is not of the trust domain ${trustDomain}`);
  if (!namespaces.includes(namespace)) {
    throw unknown(`its certificate is not of the namespaces ${namespaces.join(", ")}`);
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

function unknown(why: string): DomainError {
  return new DomainError("UNAUTHENTICATED", `Cannot tell who calls: ${why}`);
}

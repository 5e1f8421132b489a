/** Which service calls over gRPC, and for which store. A person's token is no service, whatever its roles. */
import { DomainError } from "../actors/errors.ts";
import { parseForwardedCertificates } from "./forwarded_certificates.ts";
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
  /** The alternative names as OpenSSL prints them: "URI:spiffe://…, DNS:…". */
  subjectAltName: string | undefined;
  /** DER. */
  raw: Uint8Array;
}

/**
 * Decides who calls a method and whether it may.
 *
 * @throws {DomainError} UNAUTHENTICATED: the caller is unknown. FORBIDDEN: it is known and may not call this.
 */
export type Admit<Method extends string> = (method: Method, evidence: CallEvidence) => Promise<Caller>;

export interface AdmissionOptions<Method extends string> {
  /** How callers prove who they are. `none`: not at all, so the server must be bound to loopback. */
  mode: "mtls" | "mesh" | "token" | "none";
  /** The services that may call each method. */
  callers: Readonly<Record<Method, readonly string[]>>;
  /** Needed in mode `token`. */
  verifyToken?: TokenVerifier | undefined;
}

/** Who calls where nobody has to prove anything; it may call every method. */
const ANYBODY = "anonymous";

export function createAdmission<Method extends string>(options: AdmissionOptions<Method>): Admit<Method> {
  const { mode, callers } = options;
  return async (method, evidence) => {
    if (mode === "none") return { service: ANYBODY, unproven: true, storeId: storeOf(evidence) };
    const caller = mode === "token"
      ? await byToken(evidence, options.verifyToken)
      : { service: serviceOf(certifiedName(mode, evidence)), storeId: storeOf(evidence) };
    if (!callers[method].includes(caller.service)) {
      throw new DomainError("FORBIDDEN", `Cannot call ${method}: not allowed to ${caller.service}`);
    }
    return caller;
  };
}

async function byToken(evidence: CallEvidence, verify: TokenVerifier | undefined): Promise<Caller> {
  const [value, ...more] = evidence.header("authorization");
  const token = value?.match(/^Bearer +([\w.~+/-]+=*)$/i)?.[1];
  if (!token || more.length > 0 || !verify) throw unknown("metadata authorization has no bearer token");
  const { principal, service } = await verify(token);
  if (principal.type !== "SYSTEM" || !service) {
    throw new DomainError("FORBIDDEN", `Cannot call: the token of ${principal.id} is no service's`);
  }
  return { service, storeId: principal.storeId };
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
  return (certificate.subjectAltName ?? "").split(", ")
    .filter((name) => name.startsWith("URI:"))
    .map((name) => name.slice("URI:".length))
    .filter((uri) => isUriOf(certificate.raw, uri));
}

const URI_TAG = 0x86;

/** Nothing is escaped in the printed names, so that one of another kind could read like a URI. */
function isUriOf(der: Uint8Array, uri: string): boolean {
  const bytes = new TextEncoder().encode(uri);
  const tagged = String.fromCharCode(URI_TAG, bytes.length, ...bytes);
  return bytes.length < 0x80 && String.fromCharCode(...der).includes(tagged);
}

function forwardedUris(evidence: CallEvidence): readonly string[] {
  const chain = parseForwardedCertificates(evidence.header("x-forwarded-client-cert").join(","));
  const nearest = chain?.at(-1);
  if (!nearest) throw unknown("metadata x-forwarded-client-cert is missing or malformed");
  return nearest.filter(([key]) => key === "uri").map(([, value]) => value);
}

/** The service account at the end of a SPIFFE name. */
function serviceOf(name: string): string {
  const service = name.match(/^spiffe:\/\/[a-z0-9._-]+(?:\/[\w.-]+)*\/sa\/([\w.-]+)$/)?.[1];
  if (!service) throw unknown("its certificate's URI is no spiffe://…/sa/<service>");
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

/**
 * Reads the URIs of an X.509 certificate's subject alternative names from its DER bytes.
 *
 * Printed names (`URI:…, DNS:…`) are not escaped, so a DNS name can contain text that looks like a URI entry. The
 * DER encoding has no such ambiguity. Sources: RFC 5280 sections 4.1 and 4.2.1.6, X.690 section 10.
 */

/** The bytes are not a DER certificate with at most one subject alternative name extension. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

const BOOLEAN = 0x01;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;
/** TBSCertificate.extensions: [3] EXPLICIT. */
const EXTENSIONS = 0xa3;
/** GeneralName.uniformResourceIdentifier: [6] IMPLICIT IA5String. */
const URI = 0x86;
/** 2.5.29.17, without its tag and length. */
const SUBJECT_ALT_NAME = "551d11";

/**
 * Returns the URIs in the order of the certificate; empty if it has no such extension.
 *
 * @param certificate DER
 * @throws {CertificateError} the encoding is not valid, or the extension occurs twice
 */
export function subjectAltUris(certificate: Uint8Array): string[] {
  const [outer, ...after] = readElements(certificate);
  const [tbsCertificate] = readElements(contentOf(outer, SEQUENCE, "certificate"));
  if (after.length > 0) throw new CertificateError("bytes follow the certificate");
  const fields = readElements(contentOf(tbsCertificate, SEQUENCE, "tbsCertificate"));
  const wrapped = fields.filter(({ tag }) => tag === EXTENSIONS);
  if (wrapped.length > 1) throw new CertificateError("it has two lists of extensions");
  if (!wrapped[0]) return [];
  const [list, ...more] = readElements(wrapped[0].content);
  if (more.length > 0) throw new CertificateError("bytes follow the extensions");
  const extensions = readElements(contentOf(list, SEQUENCE, "extensions"))
    .map((extension) => readExtension(contentOf(extension, SEQUENCE, "extension")))
    .filter(({ id }) => id === SUBJECT_ALT_NAME);
  if (extensions.length > 1) throw new CertificateError("it has two extensions for alternative names");
  return extensions[0] ? readUris(extensions[0].value) : [];
}

function readExtension(bytes: Uint8Array): { id: string; value: Uint8Array } {
  const [id, ...rest] = readElements(bytes);
  const value = rest[0]?.tag === BOOLEAN ? rest[1] : rest[0]; // `critical` is optional
  if (rest.indexOf(value!) !== rest.length - 1) throw new CertificateError("an extension has unknown parts");
  return {
    id: contentOf(id, OBJECT_IDENTIFIER, "extension ID").toHex(),
    value: contentOf(value, OCTET_STRING, "extension value"),
  };
}

function readUris(bytes: Uint8Array): string[] {
  const [names, ...more] = readElements(bytes);
  if (more.length > 0) throw new CertificateError("bytes follow the alternative names");
  return readElements(contentOf(names, SEQUENCE, "alternative names"))
    .filter(({ tag }) => tag === URI)
    .map(({ content }) => {
      if (content.some((byte) => byte < 0x21 || byte > 0x7e)) {
        throw new CertificateError("a URI has characters that are not printable ASCII");
      }
      return String.fromCharCode(...content);
    });
}

interface Element {
  tag: number;
  content: Uint8Array;
}

function contentOf(element: Element | undefined, tag: number, what: string): Uint8Array {
  if (element?.tag !== tag) throw new CertificateError(`${what} is missing or of another type`);
  return element.content;
}

/** Splits bytes into consecutive DER elements, without parsing their contents. */
function readElements(bytes: Uint8Array): Element[] {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at]!;
    if ((tag & 0x1f) === 0x1f) throw new CertificateError("a tag has several bytes");
    const { length, size } = readLength(bytes, at + 1);
    const start = at + 1 + size;
    at = start + length;
    if (at > bytes.length) throw new CertificateError("an element is cut off");
    elements.push({ tag, content: bytes.subarray(start, at) });
  }
  return elements;
}

/** Reads a DER length, which must have its shortest encoding. `size`: number of bytes of that encoding. */
function readLength(bytes: Uint8Array, at: number): { length: number; size: number } {
  const first = bytes[at];
  if (first === undefined) throw new CertificateError("a length is cut off");
  if (first < 0x80) return { length: first, size: 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 3 || at + count >= bytes.length) {
    throw new CertificateError("a length is indefinite, too large or cut off");
  }
  const length = bytes.subarray(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  const shortest = count === 1 ? length >= 0x80 : length >= 256 ** (count - 1);
  if (!shortest) throw new CertificateError("a length is not encoded in the shortest way");
  return { length, size: 1 + count };
}

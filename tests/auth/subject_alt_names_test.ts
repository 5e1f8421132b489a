/** Subject alternative names of certificates, and damaged certificates. */
import { CertificateError, subjectAltUris } from "../../auth/subject_alt_names.ts";
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { type AltName, createAuthority } from "../rpc/certificates.ts";

const AUTHORITY = createAuthority("authority");
const URI = "spiffe://cluster.local/ns/shop/sa/cart-service";
const LONG = `spiffe://cluster.local/${"x".repeat(300)}`;

function issue(...names: Parameters<typeof AUTHORITY.issue>): Uint8Array {
  return new Uint8Array(new X509Certificate(AUTHORITY.issue(...names).certificate).raw);
}

Deno.test("URIs of a certificate are returned in their order, without names of other kinds", () => {
  const table: [AltName[], string[]][] = [
    [[{ uri: URI }], [URI]],
    [[{ dns: "cart.shop" }, { uri: URI }, { ip: "10.0.0.1" }, { uri: LONG }], [URI, LONG]],
    [[{ dns: `URI:${URI}` }], []],
  ];
  for (const [names, uris] of table) assert.deepEqual(subjectAltUris(issue(...names)), uris);
  const root = new Uint8Array(new X509Certificate(AUTHORITY.certificate).raw);
  assert.deepEqual(subjectAltUris(root), []);
});

Deno.test("a URI in another extension is not read, even with a host name that prints like it", () => {
  const other = String.fromCharCode(0x86, URI.length) + URI;
  const printed = { dns: `a, URI:${URI}` };
  assert.deepEqual(subjectAltUris(issue(printed, { other })), []);
  // The printed name contains an entry that looks real, which is why bytes are parsed.
  const { subjectAltName } = new X509Certificate(AUTHORITY.issue(printed, { other }).certificate);
  assert.match(subjectAltName ?? "", /URI:spiffe/);
});

Deno.test("damaged certificates are refused", () => {
  const certificate = issue({ dns: "cart.shop" }, { uri: URI });
  for (let length = 0; length < certificate.length; length++) {
    assert.throws(() => subjectAltUris(certificate.subarray(0, length)), CertificateError, `${length} bytes`);
  }
  assert.throws(() => subjectAltUris(new Uint8Array([...certificate, 0])), CertificateError);
  // With any single byte changed it returns printable URIs or refuses.
  for (let at = 0; at < certificate.length; at++) {
    for (const byte of [0x00, 0x30, 0x7f, 0x80, 0x84, 0x86, 0xff]) {
      const changed = certificate.slice();
      changed[at] = byte;
      try {
        for (const uri of subjectAltUris(changed)) assert.match(uri, /^[\x21-\x7e]+$/);
      } catch (error) {
        assert.ok(error instanceof CertificateError, `byte ${at}: ${error}`);
      }
    }
  }
});

Deno.test("a length in a longer encoding and a repeated list of names are refused", () => {
  const element = (tag: number, ...parts: number[][]) => {
    const content = parts.flat();
    const { length } = content;
    if (length < 0x80) return [tag, length, ...content];
    return length < 0x100
      ? [tag, 0x81, length, ...content]
      : [tag, 0x82, length >> 8, length & 0xff, ...content];
  };
  const text = (value: string) => [...new TextEncoder().encode(value)];
  const uri = element(0x86, text(URI));
  const names = (...entries: number[][]) =>
    element(0x30, element(0x06, [0x55, 0x1d, 0x11]), element(0x04, element(0x30, ...entries)));
  const certificate = (...extensions: number[][]) =>
    new Uint8Array(element(0x30, element(0x30, element(0xa3, element(0x30, ...extensions)))));
  assert.deepEqual(subjectAltUris(certificate(names(uri))), [URI]);
  const critical = element(
    0x30,
    element(0x06, [0x55, 0x1d, 0x11]),
    element(0x01, [0xff]),
    element(0x04, element(0x30, uri)),
  );
  assert.deepEqual(subjectAltUris(certificate(critical)), [URI]);
  const wrong = [
    certificate(names(uri), names(uri)),
    certificate(names([0x86, 0x81, URI.length, ...text(URI)])), // a length that is not encoded in the shortest way
    certificate(names([0x86, 0x82, 0, URI.length, ...text(URI)])),
    certificate(names([0x86, 0x80, ...text(URI), 0, 0])), // an indefinite length
    certificate(names([0x9f, 0x06, URI.length, ...text(URI)])), // a tag of several bytes
    certificate(names(element(0x86, text(`${URI}\0.evil`)))),
    certificate(names(element(0x86, text(`${URI}é`)))),
    certificate(element(0x30, element(0x06, [0x55, 0x1d, 0x11]), element(0x05))),
  ];
  for (const [at, bytes] of wrong.entries()) {
    assert.throws(() => subjectAltUris(bytes), CertificateError, `case ${at}`);
  }
});

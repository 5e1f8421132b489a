/** Certificates as the authority of a mesh issues them to its workloads. */
import { generateKeyPairSync } from "node:crypto";
// @ts-types="@types/node-forge"
import forge from "node-forge";

/** PEM texts. */
export interface Identity {
  certificate: string;
  key: string;
}

export interface Authority {
  /** PEM. */
  certificate: string;
  /**
   * Issues a certificate for these alternative names, in their order: `{ uri }`, `{ dns }` or `{ ip }` each.
   * `{ other }` is the content of an unknown extension, as binary text.
   */
  issue(...names: (AltName | { other: string })[]): Identity;
}

export type AltName = { uri: string } | { dns: string } | { ip: string };

/** Object identifier without a meaning. */
const UNKNOWN = "1.3.6.1.4.1.32473.1";

export function createAuthority(name: string): Authority {
  const own = keyPair();
  const root = unsigned(name, name, own.publicKey, [{ name: "basicConstraints", cA: true, critical: true }]);
  root.sign(own.privateKey, forge.md.sha256.create());
  return {
    certificate: forge.pki.certificateToPem(root),
    issue(...names) {
      const { publicKey, privateKey } = keyPair();
      const altNames = names.filter((name): name is AltName => !("other" in name)).map((name) => {
        if ("uri" in name) return { type: 6, value: name.uri };
        return "dns" in name ? { type: 2, value: name.dns } : { type: 7, ip: name.ip };
      });
      const others = names.flatMap((name) => "other" in name ? [{ id: UNKNOWN, value: name.other }] : []);
      const extensions = [...altNames.length > 0 ? [{ name: "subjectAltName", altNames }] : [], ...others];
      const certificate = unsigned("workload", name, publicKey, extensions);
      certificate.sign(own.privateKey, forge.md.sha256.create());
      return {
        certificate: forge.pki.certificateToPem(certificate),
        key: forge.pki.privateKeyToPem(privateKey),
      };
    },
  };
}

/** Created by Node's crypto: forge would take seconds. */
function keyPair() {
  const pem = { format: "pem" } as const;
  const pair = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", ...pem },
    privateKeyEncoding: { type: "pkcs1", ...pem },
  });
  return {
    publicKey: forge.pki.publicKeyFromPem(pair.publicKey),
    privateKey: forge.pki.privateKeyFromPem(pair.privateKey),
  };
}

function unsigned(subject: string, issuer: string, key: forge.pki.PublicKey, extensions: unknown[]) {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = key;
  certificate.serialNumber = `01${crypto.getRandomValues(new Uint8Array(8)).toHex()}`;
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: "commonName", value: subject }]);
  certificate.setIssuer([{ name: "commonName", value: issuer }]);
  certificate.setExtensions(extensions);
  return certificate;
}

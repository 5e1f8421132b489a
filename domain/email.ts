/** Email addresses: one syntax and one normalized form for every edge, for comparisons and for keyed hashes. */
import { z } from "zod";
import { text } from "./input.ts";

/** Characters of a whole address, of the part before the @, and of a label between two dots of the domain. */
const MAX = { address: 254, local: 64, domain: 253, label: 63 };

/** atext of RFC 5322, and dots wherever browsers allow them: addresses such as `a..b@docomo.ne.jp` exist. */
const LOCAL = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;
/** The full stops that UTS 46 equates. */
const DOT = /[.。．｡]/u;
const NOT_ASCII = /[^\x20-\x7e]/;
/** Characters with a meaning in a URL, which its parser would not take as part of the host. */
const URL_SYNTAX = /[\s/?#@:\\%[\]<>^|]/;

const REFUSED = {
  form: "must be an email address",
  name: "must be the address alone, such as grace@example.com, without a name or angle brackets",
  quotes: "must not have a quoted part or a comment: write it as grace@example.com",
  literal: "must have a domain name after the @, such as example.com, not an address in brackets",
  localAscii:
    "must have only ASCII letters, digits and the characters .!#$%&'*+/=?^_`{|}~- before the @: mail to other " +
    "characters is not supported",
  local: "must have 1 to 64 characters before the @",
  dot: "must have a domain with a dot after the @, such as example.com",
  label:
    "must have a valid domain after the @: between its dots 1 to 63 letters, digits and hyphens, no hyphen " +
    "at the beginning or end",
  idna: "must have a valid international domain name after the @",
  domain: `must have a domain of at most ${MAX.domain} characters after the @`,
  length: `must have at most ${MAX.address} characters, its domain in ASCII`,
};

/**
 * An address in ASCII: a Unicode domain is converted (`münchen.example` becomes `xn--mnchen-3ya.example`), everything
 * else stays as it was written.
 */
export const email = text(MAX.address).transform((value, context) => {
  const read = readEmail(value);
  if ("email" in read) return read.email;
  context.addIssue(read.refused);
  return z.NEVER;
});

/** The beginning of an address in ASCII. */
export const emailPrefix = text(MAX.address)
  .refine((value) => !/\s/.test(value) && !/@.*@/.test(value), "must be how an email address begins")
  .refine(
    (value) => !NOT_ASCII.test(value),
    "must have only ASCII characters: international domains are stored in their ASCII form, such as " +
      "xn--mnchen-3ya.example",
  );

/**
 * The normalized form, in which two addresses are compared and hashed: in ASCII and in lower case. An address that an earlier
 * version accepted and this one refuses is compared in lower case and in Unicode's normalization form C.
 */
export function comparableEmail(value: string): string {
  const read = readEmail(value);
  return ("email" in read ? read.email : value.normalize("NFC")).toLowerCase();
}

function readEmail(value: string): { email: string } | { refused: string } {
  const at = value.lastIndexOf("@");
  const [local, written] = [value.slice(0, Math.max(at, 0)), value.slice(at + 1)];
  if (/[<>]/.test(value)) return { refused: REFUSED.name };
  if (/["()]/.test(value)) return { refused: REFUSED.quotes };
  if (at < 0 || local === "" || /[@\s]/.test(local)) return { refused: REFUSED.form };
  if (written.startsWith("[")) return { refused: REFUSED.literal };
  if (local.length > MAX.local) return { refused: REFUSED.local };
  if (NOT_ASCII.test(local)) return { refused: REFUSED.localAscii };
  if (!LOCAL.test(local)) return { refused: REFUSED.form };
  const domain = readDomain(written);
  if ("refused" in domain) return domain;
  const email = `${local}@${domain.ascii}`;
  return email.length > MAX.address ? { refused: REFUSED.length } : { email };
}

function readDomain(written: string): { ascii: string } | { refused: string } {
  const labels = written.split(DOT);
  if (labels.length < 2) return { refused: REFUSED.dot };
  if (labels.some((label) => /^$|^-|-$/.test(label))) return { refused: REFUSED.label };
  const ascii = NOT_ASCII.test(written) ? toAscii(written) : written;
  // A host such as 0x7f.１ is an IPv4 address to the parser.
  if (ascii?.split(".").length !== labels.length) return { refused: REFUSED.idna };
  if (!ascii.split(".").every((label) => label.length <= MAX.label && LABEL.test(label))) {
    return { refused: REFUSED.label };
  }
  return ascii.length > MAX.domain ? { refused: REFUSED.domain } : { ascii };
}

/** Converts a Unicode domain by UTS 46, as browsers do; undefined if it is not valid. */
function toAscii(domain: string): string | undefined {
  return URL_SYNTAX.test(domain) ? undefined : URL.parse(`http://${domain}`)?.hostname;
}

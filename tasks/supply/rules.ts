/** What of the packages' licences and known faults is accepted. A row is a decision: it comes with its reason. */

/** Licences that let the service be run, changed and passed on as it is, by their SPDX names. */
export const ALLOWED_LICENCES: readonly string[] = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "PostgreSQL",
  "Python-2.0",
  "Unlicense",
  "Zlib",
];

/** Packages whose licence is accepted for them alone. */
export const LICENCE_EXCEPTIONS: readonly { name: string; licence: string; reason: string }[] = [
  {
    name: "elkjs",
    licence: "EPL-2.0",
    reason: "taken unchanged: the licence asks for the source of the package's own files, which npm has",
  },
  {
    name: "spdx-exceptions",
    licence: "CC-BY-3.0",
    reason: "a list of names that only development reads, and nothing of it is passed on",
  },
];

/**
 * Known faults of severity high or critical that do not concern us, each until a day on which somebody looks
 * again. Its id is the one at the end of the advisory's address: `GHSA-…`.
 */
export const ACCEPTED_ADVISORIES: readonly AcceptedAdvisory[] = [];

export interface AcceptedAdvisory {
  id: string;
  package: string;
  reason: string;
  /** The last day, as 2027-01-31. */
  until: string;
}

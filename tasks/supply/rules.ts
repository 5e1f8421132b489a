/** Allowed licenses and accepted advisories. Each exception has a reason. */

/** SPDX names of the licenses that allow running, changing and distributing the service. */
export const ALLOWED_LICENSES: readonly string[] = [
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

/** Additional licenses for single packages. */
export const LICENSE_EXCEPTIONS: readonly { name: string; license: string; reason: string }[] = [
  {
    name: "elkjs",
    license: "EPL-2.0",
    reason: "used unchanged: the license requires the source of the package's own files, which npm has",
  },
  {
    name: "spdx-exceptions",
    license: "CC-BY-3.0",
    reason: "a list of names that only development reads and no build contains",
  },
];

/**
 * High and critical advisories that do not affect us, each until the day of its next review. The ID is the last part of
 * the advisory's URL: `GHSA-…`.
 */
export const ACCEPTED_ADVISORIES: readonly AcceptedAdvisory[] = [];

export interface AcceptedAdvisory {
  id: string;
  package: string;
  reason: string;
  /** The last day, such as 2027-01-31. */
  until: string;
}

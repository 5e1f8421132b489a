/** Manifest of an export: its documents with their sizes and hashes, for checking downloads. */
import type { Text } from "./contents.ts";

export interface ManifestEntry {
  name: string;
  mediaType: string;
  /** Size of the uncompressed document. */
  bytes: number;
  /** SHA-256 in hexadecimal, in lower case. */
  sha256: string;
}

export interface Manifest {
  requestId: string;
  compiledAt: Date;
  parts: readonly ManifestEntry[];
}

export async function* manifestJson(manifest: Manifest): Text {
  yield `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The manifest of an export: its documents, and how to tell that one has arrived as it was made. */
import type { Text } from "./contents.ts";

export interface ManifestEntry {
  name: string;
  mediaType: string;
  /** Of the document itself, whatever a transport makes of it. */
  bytes: number;
  /** Hexadecimal, in lower case. */
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

/** One attack: a name for the table, and a generator of traffic that runs until its signal fires. */
import type { Target, Tokens } from "../target.ts";

export interface Attack {
  name: string;
  /** What it sends, in half a sentence. */
  sends: string;
  port: "http" | "grpc";
  /** Absent: it takes no token, so it has to leave other callers alone. */
  token?: keyof Tokens;
  /** It comes from the address of the innocent client, whose new connections may then be refused. */
  sameAddress?: boolean;
  /** Absent: 8 MB a second. */
  bytesPerSecond?: number;
  /** Absent: 500 a second. */
  connectionsPerSecond?: number;
  run(target: Target): Promise<void>;
}

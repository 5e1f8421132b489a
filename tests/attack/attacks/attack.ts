/** An attack: a name, and a traffic generator that runs until its signal aborts. */
import type { Target, Tokens } from "../target.ts";

export interface Attack {
  name: string;
  /** Short description of its traffic. */
  sends: string;
  port: "http" | "grpc";
  /** Whether it needs a token. Without one it must not affect other callers. */
  token?: keyof Tokens;
  /** The attack uses the address of the innocent client, whose new connections may then be refused. */
  sameAddress?: boolean;
  /** By default 8 MB per second. */
  bytesPerSecond?: number;
  /** By default 500 per second. */
  connectionsPerSecond?: number;
  run(target: Target): Promise<void>;
}

/** Input schema of a reason: free text of staff about a decision. */
import { text } from "./input.ts";

/** At most 500 characters. The column `actor_events.reason` has the same limit. */
export const reason = text(500);

/** Number of members of a group as text. */
import { MAX_MEMBERS } from "../../db/shopper_groups.ts";

export function membersText(count: number): string {
  return count > MAX_MEMBERS ? `more than ${MAX_MEMBERS.toLocaleString("en")}` : count.toLocaleString("en");
}

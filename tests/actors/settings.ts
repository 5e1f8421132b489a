/** Request settings for tests: new keys, and participants with the default names. */
import { createRequestSettings } from "../../actors/gdpr/mod.ts";
import type { RequestSettings } from "../../actors/gdpr/requests/behavior.ts";
import { createKeys } from "../gdpr/keys.ts";

export const PARTICIPANTS = ["order-service", "payment-service", "communication-service"];

export async function requestSettings(changes: Partial<RequestSettings> = {}): Promise<RequestSettings> {
  return {
    ...createRequestSettings(
      {
        participants: PARTICIPANTS,
        graceMs: 0,
        fourEyes: false,
        fetchWaitMs: 7 * 86_400_000,
        maxSignInAgeMs: 900_000,
      },
      await createKeys(),
    ),
    random: () => 0,
    ...changes,
  };
}

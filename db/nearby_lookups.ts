/** Lookups at a replica nearby, and at the primary where the replica must not or cannot answer. */
import { DomainError } from "../domain/errors.ts";
import { record } from "../telemetry/metrics.ts";
import { Overloaded } from "./errors.ts";
import type { CustomerGroups, GroupsKey, Lookups, ReplicaLookups } from "./lookups.ts";
import type { LookupFault, ReplicaFault, ReplicaWatch } from "./replica.ts";

/** Lookups that a replica may answer: their answers contain no personal value. */
export type NearbyLookups = Pick<Lookups, "findCustomerGroups">;

export interface NearbyOptions {
  replica: ReplicaLookups;
  watch: Pick<ReplicaWatch, "fault" | "recordError">;
  /** Undefined where the primary is not configured. */
  primary: NearbyLookups | undefined;
}

/** Why the primary is asked; older: the caller has seen a newer version; unknown: the replica has no such customer. */
type Reason = ReplicaFault | LookupFault | "older" | "unknown";

/**
 * Asks the replica first. Its answer counts if it is not older than the allowed lag, and not older than the versions that
 * the caller has seen. A replica that is overloaded does not pass its load on to the primary.
 */
export function createNearbyLookups({ replica, watch, primary }: NearbyOptions): NearbyLookups {
  return {
    async findCustomerGroups(key, wanted = () => true) {
      const fault = watch.fault();
      if (fault) return await askPrimary(fault);
      let reason: Reason;
      try {
        const answer = await askReplica(replica, key, () => wanted() && watch.fault() === undefined);
        if (typeof answer === "object") {
          record(LOOKUPS, 1, SERVED);
          return answer;
        }
        reason = answer;
      } catch (error) {
        const since = watch.fault();
        if (error instanceof Overloaded && !since) throw error;
        reason = since ?? watch.recordError(error);
      }
      return await askPrimary(reason);

      async function askPrimary(reason: Reason): Promise<CustomerGroups | undefined> {
        record(LOOKUPS, 1, { [RESULT]: reason });
        if (primary) return await primary.findCustomerGroups(key, wanted);
        if (reason === "unknown") return undefined;
        throw new DomainError("UNAVAILABLE", `${REFUSALS[reason]}: try again`);
      }
    },
  };
}

const LOOKUPS = "customer_service.replica.lookups";
const RESULT = "customer_service.replica.result";
const SERVED = { [RESULT]: "served" };

const REFUSALS: Record<Exclude<Reason, "unknown">, string> = {
  lagging: "The replica lags too much",
  unavailable: "The replica cannot be reached",
  conflict: "The replica has canceled the lookup",
  older: "The replica has not received the version yet",
};

async function askReplica(
  replica: ReplicaLookups,
  key: GroupsKey,
  wanted: () => boolean,
): Promise<CustomerGroups | "older" | "unknown"> {
  const { minVersion = 0, minMembershipVersion = 0 } = key;
  if (minVersion <= 0 && minMembershipVersion <= 0) {
    return await replica.findCustomerGroups(key, wanted) ?? "unknown";
  }
  const found = await replica.findVersionedGroups(key, wanted);
  if (!found) return "unknown";
  const { versions, groups } = found;
  return versions.version >= minVersion && versions.membershipVersion >= minMembershipVersion
    ? groups
    : "older";
}

/** The customer's commands about legal holds. */
import { v7 as newId } from "uuid";
import { z } from "zod";
import type { CustomerRow } from "../../db/customers.ts";
import { endHold, findHold, insertHold } from "../../db/customer_holds.ts";
import { DomainError } from "../../domain/errors.ts";
import { HOLD_GROUNDS, LONGEST_HOLD_YEARS } from "../../domain/holds.ts";
import { optionalText, uuid } from "../../domain/input.ts";
import type { Principal } from "../../domain/principal.ts";
import { type Actions, handler, type StepContext } from "../runtime/behavior.ts";
import type { holdActions } from "./customer_machine.ts";

const STAFF = ["STAFF", "SYSTEM"] as const;
const role = "PRIVACY_OFFICER";
const note = optionalText(500);

const placement = z.strictObject({
  ground: z.enum(HOLD_GROUNDS),
  /** When the hold ends by itself; absent or null: it stays until it is lifted. */
  until: z.iso.datetime({ offset: true, error: "must be a date with a time and a time zone of ISO 8601" })
    .nullish(),
  note,
});

export const holdHandlers = {
  "hold.place": {
    ...handler(STAFF, placement, ({ ref, row, by, now }: PlacedOn, { ground, until: end, note }) => {
      const until = end == null ? null : endOf(ref.id, end, now);
      const holdId = newId();
      const hold = {
        holdId,
        ground,
        until,
        placedAt: now,
        placedBy: by.id,
        placedByService: by.service ?? null,
        placedSequence: row.version + row.membershipVersion,
      };
      const endsInMs = until === null ? {} : { endsInMs: until.getTime() - now.getTime() };
      return {
        event: { type: "hold.place", by: by.type, holdId, ...endsInMs },
        changedFields: ["holds"],
        note: note ?? undefined,
        write: (tx) => insertHold(tx, { storeId: ref.storeId, customerId: ref.id }, hold),
        ids: { holdId },
      };
    }),
    role,
  },

  "hold.lift": {
    ...handler(STAFF, z.strictObject({ holdId: uuid, note }), ({ ref, by, now }, { holdId, note }) => ({
      event: { type: "hold.lift", by: by.type, holdId },
      changedFields: ["holds"],
      note: note ?? undefined,
      async write(tx) {
        const key = { storeId: ref.storeId, customerId: ref.id };
        const hold = await findHold(tx, key, holdId);
        if (!hold || hold.endedAt !== null) {
          throw new DomainError("NOT_FOUND", `Cannot find a hold ${holdId} in effect on customer ${ref.id}`);
        }
        if (by.type === "SYSTEM" && hold.placedByService !== (by.service ?? null)) {
          throw new DomainError(
            "FORBIDDEN",
            `Cannot lift hold ${holdId} of customer ${ref.id}: services may lift only holds that they have placed`,
          );
        }
        await endHold(tx, key, { holdId, endedAt: now, lifted: lifterOf(by) });
      },
      ids: { holdId },
    })),
    role,
  },
} as const;

type PlacedOn = Pick<StepContext, "ref" | "by" | "now"> & {
  row: Pick<CustomerRow, "version" | "membershipVersion">;
};

const lifterOf = ({ id, service }: Principal) => ({ liftedBy: id, liftedByService: service ?? null });

/** @throws {DomainError} INVALID_INPUT: the end is in the past or too far in the future */
function endOf(customerId: string, end: string, now: Date): Date {
  const until = new Date(end);
  const latest = new Date(now);
  latest.setUTCFullYear(now.getUTCFullYear() + LONGEST_HOLD_YEARS);
  if (until > now && until <= latest) return until;
  const message = `must be in the future, and at most ${LONGEST_HOLD_YEARS} years ahead`;
  throw new DomainError("INVALID_INPUT", `Cannot place a hold on customer ${customerId}: until ${message}`, {
    fields: [{ field: "until", message }],
  });
}

/** Implementations of the customer machine's actions about holds. They run in the transaction of the event. */
export const holdActionHandlers: Actions<unknown, typeof holdActions> = {
  async endHold({ tx, event: { ref, at } }, { holdId }) {
    await endHold(tx, { storeId: ref.storeId, customerId: ref.id }, { holdId, endedAt: at });
  },
};

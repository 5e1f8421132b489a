/** Upsert of one row: finds the customer and sends the same command as the route of a single customer. */
import { DomainError, hasCode } from "../../domain/errors.ts";
import { createAnswers } from "../../actors/runtime/idempotency.ts";
import type { Answer, CommandContext } from "../../actors/runtime/protocol.ts";
import { ErrorSchema, z } from "../api.ts";
import { errorResponse } from "../errors.ts";
import type { RestOptions } from "../options.ts";
import type { BulkFields, BulkRow } from "./bulk_rows.ts";
import { profileOf } from "./customer.ts";

export const BulkResultSchema = z.object({
  row: z.int().meta({ format: "int32", description: "Counted from 1, without the header and blank rows" }),
  customerId: z.uuid().nullable(),
  result: z.enum(["CREATED", "UPDATED", "UNCHANGED", "REFUSED"]),
  version: z.int().nullable().meta({ format: "int32" }),
  error: ErrorSchema.optional(),
}).meta({ id: "BulkResult" });

export type BulkResult = z.output<typeof BulkResultSchema>;

/** Part of an actor's answer that a result has. */
type BulkAnswer = Pick<Answer, "id" | "version" | "changed">;

/** Facts that have been read for a row before its turn. */
export interface UpsertFacts {
  /** Result of the lookup of the customer with the row's email; absent: not looked up. */
  owner?: { id: string | undefined };
}

export type Upsert = (row: BulkRow, facts?: UpsertFacts) => Promise<BulkResult>;

/**
 * Creates the upsert of rows.
 *
 * @param context the idempotency key of a row is that of the context with the row's number
 */
export function createUpsert(
  { actors, lookups, reader, limits }: Pick<RestOptions, "actors" | "lookups" | "reader" | "limits">,
  { by, traceparent, idempotencyKey }: CommandContext,
): Upsert {
  const { storeId } = by;
  const findAnswer = createAnswers(reader, by, limits.hashKey);

  /** Keys of callers cannot contain a line feed, so these never collide with them. */
  const keyOf = (row: number) => idempotencyKey === undefined ? undefined : `${idempotencyKey}\n${row}`;

  async function send(
    id: string | undefined,
    type: string,
    fields: object,
    key: string | undefined,
  ): Promise<Answer> {
    const ref = { kind: "customer", storeId, ...(id !== undefined && { id }) } as const;
    return await actors.sendUnchecked(ref, { ...fields, type }, { by, traceparent, idempotencyKey: key });
  }

  const register = ({ customerId, ...profile }: BulkFields, key: string | undefined) =>
    send(customerId, "register", profileOf(profile), key);

  /** Leaves out the email by which the customer was found, so that its stored spelling remains. */
  const update = (id: string, fields: BulkFields, key: string | undefined) => {
    const { customerId, returning: _, email, ...profile } = fields;
    return send(
      id,
      "profile.update",
      profileOf(customerId === undefined ? profile : { ...profile, email }),
      key,
    );
  };

  async function upsertById(id: string, fields: BulkFields, key: string | undefined): Promise<Answer> {
    try {
      return await update(id, fields, key);
    } catch (error) {
      const mayRegister = by.type === "SYSTEM" && fields.email !== undefined;
      if (!hasCode(error, "NOT_FOUND") || !mayRegister) throw error;
      try {
        return await register(fields, key);
      } catch (refusal) {
        // Another request has registered the customer meanwhile, unless the email belongs to another customer.
        if (!hasCode(refusal, "ALREADY_EXISTS")) throw refusal;
        return await update(id, fields, key).catch((error) => {
          throw hasCode(error, "NOT_FOUND") ? refusal : error;
        });
      }
    }
  }

  async function upsertByEmail(
    email: string,
    fields: BulkFields,
    { owner, key }: KeyedFacts,
  ): Promise<Answer> {
    const existing = owner ? owner.id : await lookups.findCustomerId({ storeId, email });
    if (existing !== undefined) return await update(existing, fields, key);
    try {
      return await register(fields, key);
    } catch (error) {
      // Another request has registered the customer meanwhile.
      const existing = hasCode(error, "ALREADY_EXISTS") && await lookups.findCustomerId({ storeId, email });
      if (!existing) throw error;
      return await update(existing, fields, key);
    }
  }

  /** Sends the row's command again to the same customer, because the stored answer belongs to that command. */
  async function repeat(answer: Answer, fields: BulkFields, key: string): Promise<Answer> {
    const isRegistration = answer.version === 1 && answer.changed;
    return isRegistration ? await register(fields, key) : await update(answer.id, fields, key);
  }

  async function upsertFirst(fields: BulkFields, facts: KeyedFacts): Promise<Answer> {
    const { customerId, email } = fields;
    if (customerId !== undefined) return await upsertById(customerId, fields, facts.key);
    return await upsertByEmail(email!, fields, facts);
  }

  /** @throws {DomainError} NOT_FOUND: the store has no erased customer with this ID */
  async function leaveErased(customerId: string): Promise<BulkAnswer> {
    const customer = await lookups.findCustomer({ storeId, customerId });
    if (!customer?.anonymizedAt) {
      throw new DomainError("NOT_FOUND", `Cannot find an erased customer ${customerId}`);
    }
    return { id: customerId, version: customer.version, changed: false };
  }

  async function upsert(row: number, given: BulkFields, { owner }: UpsertFacts): Promise<BulkAnswer> {
    const fields = withoutWholeName(given);
    const key = keyOf(row);
    if (key === undefined) return await upsertFirst(fields, { owner, key });
    try {
      return await upsertFirst(fields, { owner, key });
    } catch (error) {
      // The row has been applied before, so that it would be another command now.
      const stored = await findAnswer(key);
      if (stored === undefined) throw error;
      return await repeat(stored, fields, key);
    }
  }

  return async (row, facts = {}) => {
    try {
      if ("refusal" in row) throw row.refusal;
      const { id, version, changed } =
        await ("erased" in row ? leaveErased(row.erased) : upsert(row.row, row.fields, facts));
      const result = !changed ? "UNCHANGED" : version === 1 ? "CREATED" : "UPDATED";
      return { row: row.row, customerId: id, result, version };
    } catch (error) {
      const customerId = "fields" in row
        ? row.fields.customerId ?? null
        : "erased" in row
        ? row.erased
        : null;
      return { row: row.row, customerId, result: "REFUSED", version: null, error: errorResponse(error).body };
    }
  };
}

interface KeyedFacts {
  owner: UpsertFacts["owner"];
  key: string | undefined;
}

/** An exported customer has the name as a whole and in parts. The parts are exact. */
function withoutWholeName(fields: BulkFields): BulkFields {
  if (fields.firstName === undefined || fields.lastName === undefined) return fields;
  const { name: _, ...others } = fields;
  return others;
}

/** What a row of a bulk upsert comes to: an ordinary command to its customer. */
import { DomainError } from "../../domain/errors.ts";
import { createAnswers } from "../../actors/runtime/idempotency.ts";
import type { Answer, CommandContext } from "../../actors/runtime/protocol.ts";
import { ErrorSchema, z } from "../api.ts";
import { answerOf } from "../errors.ts";
import type { RestOptions } from "../options.ts";
import type { BulkFields, BulkRow } from "./bulk_rows.ts";
import { profileOf } from "./customer.ts";

export const BulkResultSchema = z.object({
  row: z.int().meta({ description: "Counted from 1, without the header and empty lines" }),
  customerId: z.uuid().nullable(),
  result: z.enum(["CREATED", "UPDATED", "UNCHANGED", "REFUSED"]),
  version: z.int().nullable(),
  error: ErrorSchema.optional(),
}).meta({ id: "BulkResult" });

export type BulkResult = z.output<typeof BulkResultSchema>;

export type Upsert = (row: BulkRow) => Promise<BulkResult>;

/**
 * @param context its idempotency key, with a row's number, is the row's own key
 */
export function createUpsert(
  { actors, lookups, sql }: Pick<RestOptions, "actors" | "lookups" | "sql">,
  { by, traceparent, idempotencyKey }: CommandContext,
): Upsert {
  const { storeId } = by;
  const earlier = createAnswers(sql, by);

  /** A line feed stands in no caller's own key. */
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

  /** An email by which the customer was found is spelled as the customer has it. */
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
    } catch (missing) {
      const mayRegister = by.type === "SYSTEM" && fields.email !== undefined;
      if (!isCode(missing, "NOT_FOUND") || !mayRegister) throw missing;
      try {
        return await register(fields, key);
      } catch (refusal) {
        // Somebody else has registered it since we looked, unless it is the email that is another one's.
        if (!isCode(refusal, "ALREADY_EXISTS")) throw refusal;
        return await update(id, fields, key).catch((error) => {
          throw isCode(error, "NOT_FOUND") ? refusal : error;
        });
      }
    }
  }

  async function upsertByEmail(email: string, fields: BulkFields, key: string | undefined): Promise<Answer> {
    const known = await lookups.findCustomerId({ storeId, email });
    if (known !== undefined) return await update(known, fields, key);
    try {
      return await register(fields, key);
    } catch (error) {
      // Somebody else has registered it since we looked.
      const now = isCode(error, "ALREADY_EXISTS") && await lookups.findCustomerId({ storeId, email });
      if (!now) throw error;
      return await update(now, fields, key);
    }
  }

  /** Sends the row's command again to whom it was sent: only that has the same answer, whatever has happened since. */
  async function repeat(answer: Answer, fields: BulkFields, key: string): Promise<Answer> {
    const isBirth = answer.version === 1 && answer.changed;
    return isBirth ? await register(fields, key) : await update(answer.id, fields, key);
  }

  async function upsertFirst(fields: BulkFields, key: string | undefined): Promise<Answer> {
    const { customerId, email } = fields;
    if (customerId !== undefined) return await upsertById(customerId, fields, key);
    return await upsertByEmail(email!, fields, key);
  }

  async function upsert(row: number, fields: BulkFields): Promise<Answer> {
    const key = keyOf(row);
    if (key === undefined) return await upsertFirst(fields, key);
    const known = await earlier(key);
    if (known !== undefined) return await repeat(known, fields, key);
    try {
      return await upsertFirst(fields, key);
    } catch (error) {
      // The same file may still be under way: what it has made of the row since we looked is the answer.
      const now = await earlier(key);
      if (now === undefined) throw error;
      return await repeat(now, fields, key);
    }
  }

  return async (row) => {
    try {
      if ("refusal" in row) throw row.refusal;
      const { id, version, changed } = await upsert(row.row, row.fields);
      const result = !changed ? "UNCHANGED" : version === 1 ? "CREATED" : "UPDATED";
      return { row: row.row, customerId: id, result, version };
    } catch (error) {
      const customerId = "fields" in row ? row.fields.customerId ?? null : null;
      return { row: row.row, customerId, result: "REFUSED", version: null, error: answerOf(error).body };
    }
  };
}

function isCode(error: unknown, code: DomainError["code"]): boolean {
  return error instanceof DomainError && error.code === code;
}

/** Filters of the list of customers. None of them is personal, so they may be in an address. */
import { z } from "zod";
import type { CustomerFilter } from "../../db/customer_search.ts";
import { parseInput, uuid } from "../../domain/input.ts";

/** Accounts by status. An erased customer has the status of a closed one, and a filter of its own. */
export const STATUS_LABELS = {
  ACTIVE: "Active",
  SUSPENDED: "Suspended",
  CLOSED: "Closed",
  ERASED: "Erased",
} as const;
type StatusFilter = keyof typeof STATUS_LABELS;

export interface CustomersQuery {
  /** Undefined: all customers who have not been erased. */
  status?: StatusFilter | undefined;
  /** ID of a group. */
  group?: string | undefined;
  /** Last customer of the previous page. */
  after?: string | undefined;
}

/** Forms send "" for a filter that was not chosen. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => value === "" ? undefined : value, schema.optional());

const Query = z.object({
  status: optional(z.enum(Object.keys(STATUS_LABELS) as StatusFilter[])),
  group: optional(uuid),
  after: optional(uuid),
});

/**
 * @param values parameters of the address, or fields of the form
 * @throws {DomainError} INVALID_INPUT
 */
export function parseCustomersQuery(values: Record<string, unknown>): CustomersQuery {
  return parseInput(Query, values, "list the customers");
}

export function toFilter({ status, group }: CustomersQuery): CustomerFilter {
  return {
    groupId: group,
    ...(status === "ERASED" ? { anonymized: true } : { status, anonymized: false }),
  };
}

/** Query string of the list, with its question mark; empty for the defaults. */
export function toCustomersSearch({ status, group, after }: CustomersQuery): string {
  const search = new URLSearchParams({
    ...(status && { status }),
    ...(group && { group }),
    ...(after && { after }),
  });
  return search.size === 0 ? "" : `?${search}`;
}

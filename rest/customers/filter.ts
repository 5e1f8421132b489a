/** Schemas of a customer search: as query parameters, where every value is text, or as a JSON body. */
import { email, emailPrefix } from "../../domain/email.ts";
import { text, uuid } from "../../domain/input.ts";
import type { CustomerFilter } from "../../db/customer_search.ts";
import { z } from "../api.ts";
import { PAGE_LIMIT, pageQuery } from "../pagination.ts";

/** Sufficient for names, and bounds the conditions that PostgreSQL has to plan. */
const MAX_WORDS = 8;

const timestamp = (description: string) =>
  z.iso.datetime({ offset: true, error: "must be a date and time such as 2026-01-31T12:00:00Z" })
    .transform((text) => new Date(text))
    .optional().meta({ type: "string", format: "date-time", description });

const filter = {
  email: email.optional().meta({
    format: "email",
    description: "The whole email, compared without regard to case",
  }),
  emailPrefix: emailPrefix.optional().meta({
    description: "Beginning of the email, compared without regard to case",
  }),
  namePrefix: text(100)
    .refine((name) => name.split(/\s+/u).length <= MAX_WORDS, `must have at most ${MAX_WORDS} words`)
    .optional().meta({
      description:
        "Beginning of the first or the last name, or of both in either order, compared without regard to case: " +
        "`grace ho`",
    }),
  status: z.enum(["ACTIVE", "SUSPENDED", "CLOSED"]).optional(),
  groupId: uuid.optional().meta({ description: "Only members of this group" }),
  createdFrom: timestamp("Registered at this time or later"),
  createdTo: timestamp("Registered before this time"),
  updatedFrom: timestamp(
    "Last changed at this time or later: the profile, the status or an address. To follow changes, begin one minute " +
      "before the start of the last read, because a change becomes visible shortly after its time.",
  ),
  updatedTo: timestamp("Last changed before this time"),
};

const inQuery = {
  ...filter,
  /** Viewers offer the first value by default, which has to match something. */
  anonymized: z.enum(["false", "true"]).optional().meta({
    description: "True: only erased customers. False: only customers who have not been erased",
  }),
};

export const filterQuery = z.strictObject(inQuery);

export const searchQuery = z.strictObject({ ...inQuery, ...pageQuery });

export const SearchSchema = z.strictObject({
  ...filter,
  anonymized: z.boolean().optional().meta({
    description: "True: only erased customers. False: only customers who have not been erased",
  }),
  limit: z.int().min(1).max(PAGE_LIMIT).default(50).meta({
    description: "Maximum number of items on the page",
  }),
  cursor: pageQuery.cursor,
}).meta({
  id: "CustomerSearch",
  description: "Conditions that customers must match. Absent conditions match all.",
});

/** Converts the query parameters to the filter of the search. */
export function filterOf({ anonymized, ...rest }: z.output<typeof filterQuery>): CustomerFilter {
  return { ...rest, anonymized: anonymized && anonymized === "true" };
}

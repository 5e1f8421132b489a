/** What callers ask of a search: in a query, where everything is text, or in a JSON body. */
import { email, emailPrefix } from "../../domain/email.ts";
import { text, uuid } from "../../domain/input.ts";
import type { CustomerFilter } from "../../db/customer_search.ts";
import { z } from "../api.ts";
import { PAGE_LIMIT, pageQuery } from "../pages.ts";

/** As many as a name has, and no more conditions than PostgreSQL plans at once. */
const MAX_WORDS = 8;

const moment = (description: string) =>
  z.iso.datetime({ offset: true, error: "must be a date and time such as 2026-01-31T12:00:00Z" })
    .transform((text) => new Date(text))
    .optional().meta({ type: "string", format: "date-time", description });

const filter = {
  email: email.optional().meta({ format: "email", description: "The whole email, in whatever case" }),
  emailPrefix: emailPrefix.optional().meta({ description: "How the email begins, in whatever case" }),
  namePrefix: text(100)
    .refine((name) => name.split(/\s+/u).length <= MAX_WORDS, `must have at most ${MAX_WORDS} words`)
    .optional().meta({
      description: "How the first or the last name begins, in whatever case; or both, in either order",
      example: "grace ho",
    }),
  status: z.enum(["ACTIVE", "SUSPENDED", "CLOSED"]).optional(),
  groupId: uuid.optional().meta({ description: "Whose members they are" }),
  createdFrom: moment("Registered at this moment or later"),
  createdTo: moment("Registered before this moment"),
};

const inQuery = {
  ...filter,
  anonymized: z.enum(["true", "false"]).optional().meta({
    description: "Only those who were erased, or only those who were not",
  }),
};

export const filterQuery = z.strictObject(inQuery);

export const searchQuery = z.strictObject({ ...inQuery, ...pageQuery });

export const SearchSchema = z.strictObject({
  ...filter,
  anonymized: z.boolean().optional().meta({
    description: "Only those who were erased, or only those who were not",
  }),
  limit: z.int().min(1).max(PAGE_LIMIT).default(50).meta({ description: "How many at most" }),
  cursor: pageQuery.cursor,
}).meta({ id: "CustomerSearch", description: "What they have to be; what is absent does not matter." });

/** A filter of a query as the search takes it. */
export function filterOf({ anonymized, ...rest }: z.output<typeof filterQuery>): CustomerFilter {
  return { ...rest, anonymized: anonymized && anonymized === "true" };
}

/** Input schema of the command that opens a request. */
import { z } from "zod";
import { uuid } from "../../../domain/input.ts";
import { profile } from "../../../domain/profile.ts";
import { CAUSES } from "../machines/events.ts";
import { RIGHTS } from "../types.ts";

export const opening = z.strictObject({
  customerId: uuid,
  right: z.enum(RIGHTS),
  /** New values of a rectification. */
  corrections: profile.partial().refine((fields) => Object.keys(fields).length > 0, {
    error: "must contain at least one field",
  }).optional(),
  cause: z.enum(CAUSES).default("REQUEST"),
}).refine(
  ({ right, corrections }) => (right === "RECTIFICATION") === (corrections !== undefined),
  { error: "corrections are required for a RECTIFICATION and not allowed for other rights" },
);

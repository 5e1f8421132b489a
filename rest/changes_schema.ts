/** Schemas of the bodies of PATCH. */
import { z } from "./api.ts";

/**
 * Creates the schema of a body that names at least one field to change.
 *
 * @param fields schema in which every field is optional
 * @param others fields that are accepted and change nothing
 */
export function changesOf<Fields extends z.ZodRawShape, Others extends z.ZodRawShape = Record<never, never>>(
  fields: z.ZodObject<Fields>,
  others: Others = {} as Others,
) {
  const names = Object.keys(fields.shape);
  return fields.extend(others).refine(
    (body) => names.some((name) => (body as Record<string, unknown>)[name] !== undefined),
    `must have at least one of the fields ${names.join(", ")}`,
  ).meta({ minProperties: 1 });
}

/** Reads a submitted form about a customer or a group, and describes its refusal. */
import { z } from "zod";
import type { STATUSES } from "../http/statuses.ts";
import type { FormAttempt } from "./fields.tsx";
import { foreignForm, shownRefusal } from "./forms.ts";
import type { InspectContext } from "./session.ts";

/** Errors that the page shows above the form, which stays filled in. Every other error has its own page. */
const SHOWN_IN_PAGE = [
  "INVALID_INPUT",
  "REFUSED_IN_STATE",
  "ALREADY_EXISTS",
  "CONFLICT",
  "UNAVAILABLE",
] as const;

export interface RefusedChange {
  status: (typeof STATUSES)[(typeof SHOWN_IN_PAGE)[number]];
  attempt: FormAttempt;
}

export interface ChangeForm<Action extends string> {
  action: Action;
  target: string;
  /** Absent: the actor does not exist yet. */
  version: number | undefined;
  isConfirmed: boolean;
  values: Readonly<Record<string, string>>;
}

const Form = z.object({
  action: z.string(),
  target: z.string().max(100).default(""),
  version: z.coerce.number().int().positive().optional(),
  confirmed: z.string().optional(),
}).catchall(z.string()); // the body has a limit, and the actor validates the values

/**
 * @param actions the commands of the page
 * @throws {DomainError} INVALID_INPUT: not a form of this page
 */
export async function readForm<Action extends string>(
  c: InspectContext,
  actions: readonly Action[],
): Promise<ChangeForm<Action>> {
  const { data } = Form.safeParse(await c.req.parseBody());
  const action = actions.find((action) => action === data?.action);
  if (!data || !action) throw foreignForm();
  const { action: _, csrf: __, target, version, confirmed, ...values } = data;
  return { action, target, version, isConfirmed: confirmed === "yes", values };
}

/** RefusedChange of a form whose box was not checked. */
export function notConfirmed({ action, target, values }: ChangeForm<string>): RefusedChange {
  return {
    status: 400,
    attempt: {
      done: false,
      message: "Nothing was changed: check the box to confirm it.",
      form: { action, target, values, fields: [] },
    },
  };
}

/**
 * @param noun what someone else has changed: "customer"
 * @throws the error, unless the page shows it
 */
export function describeRefusal(
  error: unknown,
  { action, target, values }: ChangeForm<string>,
  noun: string,
): RefusedChange {
  const { code, status, message, fields } = shownRefusal(error, SHOWN_IN_PAGE);
  const conflict =
    `Conflict: someone else changed the ${noun} first. Nothing was changed. The form says what is ` +
    "stored now where you entered something else. Send it again if it is still right.";
  return {
    status,
    attempt: {
      done: false,
      message: code === "CONFLICT" ? conflict : message,
      form: { action, target, values, fields },
    },
  };
}

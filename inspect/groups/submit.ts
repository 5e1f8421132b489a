/** Submits a form about a group to the group's actor. */
import { GROUP_COMMANDS, type StaffGroupCommand } from "../../actors/customers/available_group_commands.ts";
import type { Actors } from "../../actors/commands.ts";
import { GROUP_LABELS } from "../../domain/shopper_group.ts";
import { traceparentOf } from "../../http/refusals.ts";
import type { InspectContext } from "../session.ts";
import {
  type ChangeForm,
  describeRefusal,
  notConfirmed,
  readForm,
  type RefusedChange,
} from "../change_form.ts";

export interface SubmittedGroup {
  groupId: string;
  /** Version of the group, which is the sequence of its last event; 0: nothing has changed. */
  version: number;
}

/**
 * @param groupId undefined: the form creates a group
 * @returns what was done; if it is refused, the message and the values of the form
 * @throws {DomainError} INVALID_INPUT: not a form of this page; NOT_FOUND; FORBIDDEN
 */
export async function submitGroup(
  c: InspectContext,
  actors: Actors,
  groupId?: string,
): Promise<SubmittedGroup | RefusedChange> {
  const actions = GROUP_COMMANDS.filter((action) => (action === "group.create") === (groupId === undefined));
  const form = await readForm(c, actions);
  if (form.action === "group.delete" && !form.isConfirmed) return notConfirmed(form);
  const { by } = c.var;
  const ref = {
    kind: "shopper_group" as const,
    storeId: by.storeId,
    ...(groupId !== undefined && { id: groupId }),
  };
  try {
    const { id, version, changed } = await actors.sendUnchecked(
      ref,
      { ...fieldsOf(form), type: form.action },
      {
        by,
        traceparent: traceparentOf(c),
        expectedVersion: form.version,
      },
    );
    return { groupId: id, version: changed ? version : 0 };
  } catch (error) {
    return describeRefusal(error, form, "group");
  }
}

/** Fields of the command, which the actor validates. */
function fieldsOf({ action, values }: ChangeForm<StaffGroupCommand>): Record<string, unknown> {
  if (action === "group.delete") return {};
  return Object.fromEntries(
    Object.keys(GROUP_LABELS).flatMap((name) => {
      const text = values[name]?.trim();
      if (text === undefined || (name === "priority" && text === "")) return [];
      return [[name, name === "priority" ? Number(text) : text]];
    }),
  );
}

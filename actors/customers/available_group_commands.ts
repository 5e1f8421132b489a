/** Commands that a shopper group accepts now from a principal, by its machine and by authorization. */
import type { ShopperGroupRow } from "../../db/shopper_groups.ts";
import type { Principal } from "../../domain/principal.ts";
import { isAuthorized } from "../runtime/authorization.ts";
import { rightsOfGroupCommand, shopperGroupBehavior } from "./shopper_group_behavior.ts";

export const GROUP_COMMANDS = ["group.create", "group.update", "group.delete"] as const;
export type StaffGroupCommand = (typeof GROUP_COMMANDS)[number];

/** @param group a group in the store of `by`; undefined: a new one */
export function availableGroupCommands(
  group: ShopperGroupRow | undefined,
  by: Principal,
): Set<StaffGroupCommand> {
  const snapshot = group && shopperGroupBehavior.restore(group).snapshot;
  const isPossible = (type: StaffGroupCommand) => snapshot ? snapshot.can({ type }) : type === "group.create";
  return new Set(
    GROUP_COMMANDS.filter((type) => isAuthorized(by, rightsOfGroupCommand(type)) && isPossible(type)),
  );
}

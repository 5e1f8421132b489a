/** Texts of the forms that change a group. */
import type { StaffGroupCommand } from "../../actors/customers/available_group_commands.ts";

export const GROUP_TEXTS: Readonly<Record<StaffGroupCommand, { title: string; done: string }>> = {
  "group.create": { title: "Create a group", done: "You created the group." },
  "group.update": { title: "Change the group", done: "You changed the group." },
  "group.delete": { title: "Delete the group", done: "You deleted the group." },
};

export const DELETE_CONFIRM = "Yes, delete it";
export const DELETE_CONSEQUENCE =
  "The group decides no prices any more, and all memberships end. It cannot be restored.";

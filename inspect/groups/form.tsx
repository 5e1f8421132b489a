/** Form that creates or changes a group. */
import type { ShopperGroup } from "../../db/shopper_groups.ts";
import { GROUP_LABELS, type GroupField, shopperGroup } from "../../domain/shopper_group.ts";
import { ActionForm, type FormAttempt, formId, refusedBy, TextField } from "../fields.tsx";
import type { InspectContext } from "../session.ts";
import { GROUP_TEXTS } from "./change_texts.ts";

const FIELDS = Object.entries(GROUP_LABELS) as [GroupField, string][];

export function GroupForm(
  { c, path, attempt, action, group }: {
    c: InspectContext;
    /** Path that the form is sent to. */
    path: string;
    attempt: FormAttempt | undefined;
    action: "group.create" | "group.update";
    group?: ShopperGroup;
  },
) {
  const refused = refusedBy(attempt, action);
  return (
    <ActionForm
      c={c}
      path={path}
      action={action}
      version={group?.version}
      title={GROUP_TEXTS[action].title}
      button={group && "Save the group"}
      refused={refused}
    >
      <p>The group with the highest priority decides the price list of a customer.</p>
      {FIELDS.map(([name, label]) => (
        <TextField
          form={formId(action)}
          name={name}
          label={label}
          schema={shopperGroup.shape[name]}
          stored={group && String(group[name])}
          refused={refused}
        />
      ))}
    </ActionForm>
  );
}

/** Forms that suspend, reactivate and close the account of a customer, with a reason. */
import { ActionForm, formId, refusedBy } from "../fields.tsx";
import { FreeText } from "../request/actions.tsx";
import { CHANGE_TEXTS } from "./change_texts.ts";
import type { SectionProps } from "./profile.tsx";

const CONSEQUENCES = {
  "account.suspend": "The customer cannot order or change the account until it is reactivated.",
  "account.reinstate": "The customer can order and change the account again.",
  "account.close":
    "The customer cannot order any more. The data stay until the end of the retention period of the store, and the account can be reactivated until then.",
} as const;
type AccountChange = keyof typeof CONSEQUENCES;

export function AccountForms(props: SectionProps) {
  const { commands } = props.reading;
  const actions = (Object.keys(CONSEQUENCES) as AccountChange[]).filter((action) => commands.has(action));
  return (
    <div class="actions account">
      {actions.map((action) => <AccountForm {...props} action={action} />)}
    </div>
  );
}

function AccountForm({ c, path, reading, attempt, action }: SectionProps & { action: AccountChange }) {
  const refused = refusedBy(attempt, action);
  const { title, confirm } = CHANGE_TEXTS[action];
  return (
    <ActionForm
      c={c}
      path={path}
      action={action}
      version={reading.facts.version}
      title={title}
      confirm={confirm}
      isFinal={action === "account.close"}
      refused={refused}
    >
      <p>{CONSEQUENCES[action]}</p>
      <FreeText
        id={`${formId(action)}-reason`}
        name="reason"
        label="Reason for the customer"
        hint="The customer reads it in the access document"
        value={refused?.values.reason}
      />
      <FreeText
        id={`${formId(action)}-note`}
        name="note"
        label="Note for staff"
        hint="Shown in the timeline, and not to the customer"
        value={refused?.values.note}
      />
    </ActionForm>
  );
}

/** Profile of a customer, for roles that may read personal values, with a form for those that may change it. */
import { profile, PROFILE_LABELS, type ProfileField } from "../../domain/profile.ts";
import { ActionForm, type FormAttempt, formId, refusedBy, TextField } from "../fields.tsx";
import type { InspectContext } from "../session.ts";
import { CHANGE_TEXTS } from "./change_texts.ts";
import type { CustomerReading } from "./read.ts";

const FIELDS = Object.entries(PROFILE_LABELS) as [ProfileField, string][];

export interface SectionProps {
  c: InspectContext;
  /** Path that the forms are sent to. */
  path: string;
  reading: CustomerReading;
  attempt: FormAttempt | undefined;
}

export function Profile(props: SectionProps) {
  const { values, facts, commands } = props.reading;
  if (facts.anonymizedAt) {
    return <p class="empty">The erasure removed all personal values.</p>;
  }
  if (!values) {
    return (
      <p class="empty">
        Hidden: your role may not read personal values. The roles CUSTOMER_SUPPORT, CUSTOMER_MANAGER and
        STORE_MANAGER may. The number of addresses is {facts.addresses}.
      </p>
    );
  }
  return (
    <>
      <dl class="facts">
        {FIELDS.map(([field, label]) => (
          <div>
            <dt>{label}</dt>
            <dd>{values[field] === null ? <span class="none">none</span> : <bdi>{values[field]}</bdi>}</dd>
          </div>
        ))}
      </dl>
      {commands.has("profile.update") && (
        <div class="actions">
          <ProfileForm {...props} values={values} />
        </div>
      )}
    </>
  );
}

function ProfileForm(
  { c, path, reading, attempt, values }: SectionProps & { values: Record<ProfileField, string | null> },
) {
  const action = "profile.update";
  const refused = refusedBy(attempt, action);
  return (
    <ActionForm
      c={c}
      path={path}
      action={action}
      version={reading.facts.version}
      title={CHANGE_TEXTS[action].title}
      button={CHANGE_TEXTS[action].button}
      refused={refused}
    >
      {FIELDS.map(([field, label]) => (
        <TextField
          form={formId(action)}
          name={field}
          label={label}
          schema={profile.shape[field]}
          stored={values[field] ?? undefined}
          refused={refused}
        />
      ))}
    </ActionForm>
  );
}

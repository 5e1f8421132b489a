/** Decision forms of a request: one for each decision that its machine accepts now. */
import {
  type AvailableDecision,
  DECISIONS,
  type StaffDecision,
} from "../../actors/gdpr/requests/available_decisions.ts";
import { IDENTITY_METHODS } from "../../actors/gdpr/types.ts";
import { capitalize } from "../labels.ts";
import type { InspectContext } from "../session.ts";
import { DECISION_TEXTS } from "./decisions.ts";
import { METHOD_LABELS } from "./entrance_labels.ts";
import { Ground, HOLD_LABELS, REFUSAL_LABELS } from "./ground.tsx";
import type { RequestReading } from "./read.ts";
import type { HrefTo } from "./time_travel.tsx";

/** Result of a submitted decision. */
export interface Attempt {
  done: boolean;
  message: string;
  /** Values of a refused form, which the page fills in again; absent if the decision was carried out. */
  input?: {
    action: string;
    service: string;
    ground: string;
    reason: string;
    note: string;
    method: string;
    reference: string;
  };
}

export interface ActionsProps {
  c: InspectContext;
  hrefTo: HrefTo;
  reading: RequestReading;
  attempt: Attempt | undefined;
  /** Decision whose form is open; undefined: none. */
  chosen: AvailableDecision | undefined;
}

export function Actions({ c, hrefTo, reading, attempt, chosen }: ActionsProps) {
  const { row, snapshot: { offers, unreadable } } = reading;
  const input = attempt?.input;
  const isUnavailable = input && !offers.some(({ type }) => type === input.action);
  return (
    <>
      <h2 id="actions">Available decisions</h2>
      {offers.length === 0 && <p class="empty">{describeNoDecisions(row.status, unreadable)}</p>}
      {isUnavailable && (["reason", "note"] as const).map((field) =>
        input[field] !== "" && (
          <p class="problem">
            The {field} that you wrote: <q>{input[field]}</q>
          </p>
        )
      )}
      <div class="actions">
        {DECISIONS.flatMap((type) => {
          const own = offers.filter((offer) => offer.type === type);
          return own.length === 0 ? [] : (
            <Action
              type={type}
              offers={own}
              csrf={c.var.csrf}
              hrefTo={hrefTo}
              version={row.version}
              input={input?.action === type ? input : undefined}
              chosen={chosen?.type === type ? chosen : undefined}
            />
          );
        })}
      </div>
    </>
  );
}

interface ActionProps {
  type: StaffDecision;
  offers: readonly AvailableDecision[];
  csrf: string | undefined;
  hrefTo: HrefTo;
  version: number;
  input: Attempt["input"] | undefined;
  chosen: AvailableDecision | undefined;
}

function Action({ type, offers, csrf, hrefTo, version, input, chosen }: ActionProps) {
  const { title, consequence, reason, check, confirm, final } = DECISION_TEXTS[type];
  const grounds = groundsOf(type, offers);
  return (
    <details
      id={`action-${type}`}
      class={final ? "action final" : "action"}
      open={(input ?? chosen) !== undefined}
    >
      <summary>{title}</summary>
      <form method="post" action={hrefTo()} data-keep={input && "input"}>
        {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
        <input type="hidden" name="action" value={type} />
        <input type="hidden" name="version" value={String(version)} />
        <p>{consequence}</p>
        <Service type={type} offers={offers} chosen={input?.service ?? chosen?.service} />
        {grounds && <Ground id={`ground-${type}`} chosen={input?.ground} labels={grounds} />}
        {check && <IdentityCheck method={input?.method} reference={input?.reference} />}
        {reason && (
          <FreeText
            id={`reason-${type}`}
            name="reason"
            label="Reason for the customer"
            isRequired={reason.isRequired}
            hint={reason.hint}
            value={input?.reason}
          />
        )}
        <FreeText
          id={`note-${type}`}
          name="note"
          label="Note for staff"
          hint="Shown in the timeline, and not to the customer"
          value={input?.note}
        />
        <label class="confirm">
          <input type="checkbox" name="confirmed" value="yes" required /> {confirm}
        </label>
        <button type="submit">{title}</button>
      </form>
    </details>
  );
}

/** Fields of a check of the identity: its method and its reference. */
function IdentityCheck({ method, reference }: { method: string | undefined; reference: string | undefined }) {
  return (
    <>
      <label for="method">How it was checked</label>
      <select id="method" name="method" required>
        <option value="">Choose a method</option>
        {IDENTITY_METHODS.map((value) => (
          <option value={value} selected={value === method}>{capitalize(METHOD_LABELS[value])}</option>
        ))}
      </select>
      <label for="reference">Reference (optional)</label>
      <p id="reference-hint" class="hint">
        Where the proof is found, such as a ticket number. Do not enter personal data.
      </p>
      <input
        id="reference"
        name="reference"
        maxlength={200}
        value={reference}
        aria-describedby="reference-hint"
      />
    </>
  );
}

export interface FreeTextProps {
  id: string;
  name: "reason" | "note";
  label: string;
  isRequired?: boolean;
  hint: string;
  value?: string | undefined;
}

export function FreeText({ id, name, label, isRequired = false, hint, value }: FreeTextProps) {
  return (
    <>
      <label for={id}>{isRequired ? label : `${label} (optional)`}</label>
      <p id={`${id}-hint`} class="hint">
        {hint}. Do not enter personal data.
      </p>
      <textarea
        id={id}
        name={name}
        rows={name === "reason" ? 3 : 2}
        maxlength={500}
        required={isRequired}
        aria-describedby={`${id}-hint`}
      >
        {value}
      </textarea>
    </>
  );
}

/** Labels of the grounds of a decision; undefined for one without a ground. A rejected erasure ends as refused. */
function groundsOf(type: StaffDecision, offers: readonly AvailableDecision[]) {
  if (type === "hold") return HOLD_LABELS;
  const isRefusal = type === "refuse" ||
    (type === "reject" && offers.every(({ service }) => service === undefined));
  return isRefusal ? REFUSAL_LABELS : undefined;
}

/** Select field for the participant, if the decision concerns one. */
function Service(
  { type, offers, chosen }: {
    type: StaffDecision;
    offers: readonly AvailableDecision[];
    chosen: string | undefined;
  },
) {
  if (offers.every(({ service }) => service === undefined)) return null;
  return (
    <>
      <label for={`service-${type}`}>Service</label>
      <select id={`service-${type}`} name="service" required>
        {offers.length > 1 && <option value="">Choose a service</option>}
        {offers.map(({ service = "" }) => (
          <option value={service} selected={service === chosen}>{service}</option>
        ))}
      </select>
    </>
  );
}

function describeNoDecisions(status: string, unreadable: string | undefined): string {
  if (unreadable !== undefined) return `No decision is possible: ${unreadable}.`;
  if (status === "COMPLETED") return "No decision is possible: the request is completed.";
  return "No decision is possible at the moment.";
}

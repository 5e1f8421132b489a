/** Form that opens a request which a person has made outside of an account, such as in a letter. */
import { z } from "zod";
import type { Actors } from "../../actors/commands.ts";
import { CHANNELS, IDENTITY_METHODS, REPRESENTATION_GROUNDS } from "../../actors/gdpr/types.ts";
import { traceparentOf } from "../../http/refusals.ts";
import { foreignForm, shownRefusal, singleLine } from "../forms.ts";
import { capitalize } from "../labels.ts";
import { typeLabel } from "../overview/labels.ts";
import { CHANNEL_LABELS, GROUND_LABELS, METHOD_LABELS } from "../request/entrance_labels.ts";
import { type InspectContext, inStore } from "../session.ts";

/** A rectification is not among them: it needs the correct values, which the REST API takes. */
const TYPES = ["ACCESS", "PORTABILITY", "ERASURE"] as const;
const FORM_CHANNELS = CHANNELS.filter((channel) => channel !== "ACCOUNT");
const FORM_METHODS = IDENTITY_METHODS.filter((method) => method !== "SIGNED_IN");

const FIELDS = [
  "email",
  "phone",
  "locale",
  "type",
  "channel",
  "receivedAt",
  "note",
  "method",
  "reference",
  "ground",
  "name",
  "proof",
] as const;
type Field = (typeof FIELDS)[number];
export type OpeningValues = Readonly<Partial<Record<Field, string>>>;

const Form = z.object(
  Object.fromEntries(FIELDS.map((field) => [field, z.string().max(2_000).default("")])) as Record<
    Field,
    z.ZodDefault<z.ZodString>
  >,
);

/** A refused form, which the page shows again with its values. */
export interface RefusedOpening {
  message: string;
  values: OpeningValues;
}

/** Errors that the page shows above the form. Every other error has its own page. */
const SHOWN_IN_PAGE = ["INVALID_INPUT", "REFUSED_IN_STATE", "ALREADY_EXISTS", "UNAVAILABLE"] as const;

/**
 * Opens the request of the submitted form.
 *
 * @param customerId absent: the form contains the contact data of a person without an account
 * @returns the path of its page, or what the page with the form shows
 * @throws {DomainError} INVALID_INPUT: not a form of this page; NOT_FOUND; FORBIDDEN
 */
export async function submitOpening(
  c: InspectContext,
  actors: Actors,
  customerId?: string,
): Promise<{ path: string } | { refused: RefusedOpening; status: 400 | 409 | 503 }> {
  const { data } = Form.safeParse(await c.req.parseBody());
  if (!data) throw foreignForm();
  const values = Object.fromEntries(FIELDS.map((field) => [field, singleLine(data[field])])) as Record<
    Field,
    string
  >;
  const { email, phone, locale, ...stated } = values;
  const { type, channel, receivedAt, note, method, reference, ground, name, proof } = stated;
  const { by } = c.var;
  try {
    const { id } = await actors.sendUnchecked({ kind: "gdpr_request", storeId: by.storeId }, {
      type: "open",
      ...(customerId === undefined ? { subject: { email, phone, locale } } : { customerId }),
      right: type,
      channel,
      ...(receivedAt && { receivedAt }),
      note,
      ...((method || reference) && { identity: { method, reference } }),
      ...((ground || name || proof) && { representative: { ground, name, reference: proof } }),
    }, { by, traceparent: traceparentOf(c) });
    return { path: inStore(c, `/inspect/requests/${id}`) };
  } catch (error) {
    const { status, message } = shownRefusal(error, SHOWN_IN_PAGE);
    return { refused: { message, values }, status };
  }
}

function ContactFields({ values }: { values: OpeningValues }) {
  return (
    <fieldset>
      <legend>The person</legend>
      <p class="hint">
        Stored encrypted, and destroyed once no request of the person needs it. If a customer has this email
        address, the request is about that customer.
      </p>
      <label for="opening-email">Email address</label>
      <input type="email" id="opening-email" name="email" maxlength={254} value={values.email} required />
      <label for="opening-phone">Phone (optional)</label>
      <p id="opening-phone-hint" class="hint">In the form +41445551234.</p>
      <input
        type="tel"
        id="opening-phone"
        name="phone"
        maxlength={16}
        value={values.phone}
        aria-describedby="opening-phone-hint"
      />
      <label for="opening-locale">Language (optional)</label>
      <p id="opening-locale-hint" class="hint">Of documents and notices, such as de-CH.</p>
      <input
        id="opening-locale"
        name="locale"
        maxlength={35}
        value={values.locale}
        aria-describedby="opening-locale-hint"
      />
    </fieldset>
  );
}

type Choice = readonly [value: string, words: string];

export function OpeningForm(
  { c, path, hasAccount, refused }: {
    c: InspectContext;
    /** Path that the form is sent to. */
    path: string;
    /** Whether the page is about a customer; otherwise the form asks for contact data. */
    hasAccount: boolean;
    refused: RefusedOpening | undefined;
  },
) {
  const values = refused?.values ?? {};
  return (
    <details class="action" open={!hasAccount || refused !== undefined}>
      <summary>Open a request</summary>
      <form method="post" action={inStore(c, path)}>
        {c.var.csrf !== undefined && <input type="hidden" name="csrf" value={c.var.csrf} />}
        {refused && <p class="problem" role="alert">{refused.message}</p>}
        <p>
          For a request from outside the account, such as a letter. The due date counts from its receipt.
          Without a check of the identity, the request waits for it.
        </p>
        {!hasAccount && <ContactFields values={values} />}
        <Select
          name="type"
          label="Type"
          choices={TYPES.map((type) => [type, capitalize(typeLabel(type))])}
          values={values}
          isRequired
        />
        <Select
          name="channel"
          label="How it was received"
          choices={FORM_CHANNELS.map((channel) => [channel, capitalize(CHANNEL_LABELS[channel])])}
          values={values}
          isRequired
        />
        <label for="opening-receivedAt">Day of receipt (optional)</label>
        <p id="opening-receivedAt-hint" class="hint">In the time zone of the store. Empty: today.</p>
        <input
          type="date"
          id="opening-receivedAt"
          name="receivedAt"
          value={values.receivedAt}
          aria-describedby="opening-receivedAt-hint"
        />
        <Line
          name="note"
          label="Note for staff"
          hint="Shown in the timeline. Do not enter personal data."
          values={values}
          max={500}
        />
        <fieldset>
          <legend>Check of the identity (optional)</legend>
          <Select
            name="method"
            label="How it was checked"
            choices={FORM_METHODS.map((method) => [method, capitalize(METHOD_LABELS[method])])}
            values={values}
          />
          <Line
            name="reference"
            label="Reference"
            hint="Where the proof is found, such as a ticket number. Do not enter personal data."
            values={values}
            max={200}
          />
        </fieldset>
        <fieldset>
          <legend>Made on behalf of the person (optional)</legend>
          <Select
            name="ground"
            label="Ground"
            choices={REPRESENTATION_GROUNDS.map((ground) => [ground, capitalize(GROUND_LABELS[ground])])}
            values={values}
          />
          <Line
            name="name"
            label="Name"
            hint="Of the person who makes the request."
            values={values}
            max={200}
          />
          <Line
            name="proof"
            label="Reference of the ground"
            hint="Where the proof is found, such as a ticket number."
            values={values}
            max={200}
          />
        </fieldset>
        <button type="submit">Open the request</button>
      </form>
    </details>
  );
}

function Select(
  { name, label, choices, values, isRequired = false }: {
    name: Field;
    label: string;
    choices: readonly Choice[];
    values: OpeningValues;
    isRequired?: boolean;
  },
) {
  return (
    <>
      <label for={`opening-${name}`}>{label}</label>
      <select id={`opening-${name}`} name={name} required={isRequired}>
        <option value="">Choose</option>
        {choices.map(([value, words]) => (
          <option value={value} selected={values[name] === value}>{words}</option>
        ))}
      </select>
    </>
  );
}

function Line(
  { name, label, hint, values, max }: {
    name: Field;
    label: string;
    hint: string;
    values: OpeningValues;
    max: number;
  },
) {
  return (
    <>
      <label for={`opening-${name}`}>{label} (optional)</label>
      <p id={`opening-${name}-hint`} class="hint">{hint}</p>
      <input
        id={`opening-${name}`}
        name={name}
        maxlength={max}
        value={values[name]}
        aria-describedby={`opening-${name}-hint`}
      />
    </>
  );
}

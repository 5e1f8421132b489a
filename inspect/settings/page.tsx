/** Page with the settings of a store: what documents lack, the form, and the newest changes. */
import type { Child } from "@hono/hono/jsx";
import { TEXTS } from "../../actors/gdpr/texts/mod.ts";
import type { ActorEventRow } from "../../db/actor_events.ts";
import type { VersionedSettings } from "../../db/store_settings.ts";
import { CATEGORIES, LEGAL_BASES, PURPOSES } from "../../domain/processing.ts";
import { LANGUAGES, missingStatements } from "../../domain/store_settings.ts";
import { capitalize, fieldLabels } from "../labels.ts";
import { Instant, Page } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { PrincipalName } from "../timeline/principal_name.tsx";
import { type FormValues, isChecked, RECORD_PERIODS, rowsOf } from "./form.ts";
import { Missing } from "./missing.tsx";

/** Result of a submitted form. */
export interface SubmittedForm {
  done: boolean;
  message: string;
}

export interface SettingsPageProps {
  c: InspectContext;
  settings: VersionedSettings;
  /** Newest first. */
  changes: readonly ActorEventRow[];
  values: FormValues;
  attempt: SubmittedForm | undefined;
  /** The services that take part in requests by configuration. */
  participants: readonly string[];
  requiresController: boolean;
}

const { categories, purposes, legalBases } = TEXTS.en;

export function SettingsPage(props: SettingsPageProps) {
  const { c, settings, changes, values, attempt, participants, requiresController } = props;
  return (
    <Page c={c} title="Store settings">
      {attempt && (
        <p class={attempt.done ? "notice" : "problem"} role={attempt.done ? "status" : "alert"}>
          {attempt.message}
        </p>
      )}
      <p>
        Documents for customers contain these statements and nothing that is not stated here. See also the
        {" "}
        <a href={inStore(c, "/inspect/record-of-processing")}>record of processing</a>.
      </p>
      <Missing missing={missingStatements(settings)} requiresController={requiresController} />
      <form method="post" action={inStore(c, "/inspect/settings")} class="settings">
        {c.var.csrf !== undefined && <input type="hidden" name="csrf" value={c.var.csrf} />}
        <input type="hidden" name="version" value={String(settings.version)} />
        <Responsible values={values} />
        <Requests values={values} participants={participants} />
        <Languages values={values} />
        <LegalBases values={values} />
        <Recipients values={values} />
        <Transfers values={values} />
        <fieldset>
          <legend>Automated decisions</legend>
          <Area
            values={values}
            name="automatedDecisions"
            label="Statement on automated decisions and profiling"
            hint="Article 15(1)(h): whether there are any, their logic and their consequences. Line breaks are removed."
            max={2_000}
          />
        </fieldset>
        <button type="submit">Save the settings</button>
      </form>
      <h2 id="changes">Changes</h2>
      <Changes changes={changes} viewer={c.var.by.id} />
    </Page>
  );
}

interface FieldProps {
  values: FormValues;
  name: string;
  label: string;
  hint?: string;
}

/** Id of a field: names have dots, which selectors of stylesheets read as classes. */
const idOf = (name: string) => `setting-${name.replaceAll(".", "-")}`;

function Hint({ name, hint }: { name: string; hint: string | undefined }) {
  return hint === undefined ? null : <p id={`${idOf(name)}-hint`} class="hint">{hint}</p>;
}

function Line(
  { values, name, label, hint, max, numeric }: FieldProps & { max: number; numeric?: boolean },
) {
  const id = idOf(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Hint name={name} hint={hint} />
      <input
        id={id}
        name={name}
        value={values[name] ?? ""}
        maxlength={max}
        inputmode={numeric ? "numeric" : undefined}
        autocomplete="off"
        aria-describedby={hint && `${id}-hint`}
      />
    </div>
  );
}

function Area({ values, name, label, hint, max }: FieldProps & { max: number }) {
  const id = idOf(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <Hint name={name} hint={hint} />
      <textarea id={id} name={name} rows={3} maxlength={max} aria-describedby={hint && `${id}-hint`}>
        {values[name] ?? ""}
      </textarea>
    </div>
  );
}

function Box({ values, name, label }: FieldProps) {
  return (
    <label class="confirm">
      <input type="checkbox" name={name} value="yes" checked={isChecked(values, name)} /> {label}
    </label>
  );
}

function Options({ values, name, label, options, none }: FieldProps & {
  options: readonly (readonly [value: string, label: string])[];
  none: string;
}) {
  const id = idOf(name);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name}>
        <option value="">{none}</option>
        {options.map(([value, words]) => (
          <option value={value} selected={values[name] === value}>{words}</option>
        ))}
      </select>
    </div>
  );
}

function Responsible({ values }: { values: FormValues }) {
  return (
    <fieldset>
      <legend>Responsibility</legend>
      <div class="fields">
        <Line values={values} name="name" label="Name of the store" max={100} />
        <Line values={values} name="controllerName" label="Controller: name" max={200} />
        <Line values={values} name="controllerAddress" label="Controller: address" max={500} />
        <Line
          values={values}
          name="dataProtectionContact"
          label="Contact for data protection"
          hint="The data protection officer, or another person: an email address, a phone number or an address"
          max={300}
        />
        <Line values={values} name="authorityName" label="Data protection authority: name" max={200} />
        <Line
          values={values}
          name="authorityComplaint"
          label="Data protection authority: how to complain"
          hint="A page, an address or a phone number"
          max={500}
        />
      </div>
    </fieldset>
  );
}

const PERIOD_TEXTS: Record<(typeof RECORD_PERIODS)[number], { label: string; hint: string }> = {
  requestRetentionDays: {
    label: "Retention of requests, in days",
    hint: "After their completion, with their notices and history, at least 90. Without one, 1096 days",
  },
  journalRetentionDays: {
    label: "Retention of the history of customers, in days",
    hint: "After each event, at least 90. Without one, 1096 days",
  },
  holdRetentionDays: {
    label: "Retention of legal holds, in days",
    hint: "After their end, at least 90. Without one, 1096 days",
  },
};

function Requests({ values, participants }: { values: FormValues; participants: readonly string[] }) {
  return (
    <fieldset>
      <legend>Requests and dates</legend>
      <div class="fields">
        <Line
          values={values}
          name="timeZone"
          label="Time zone"
          hint="A name of the IANA database, such as Europe/Zurich. Without one, documents show UTC"
          max={64}
        />
        <Line
          values={values}
          name="erasureGraceHours"
          label="Grace period of erasures, in hours"
          hint="How long a customer can cancel an erasure, at most 672. Without one, GDPR_GRACE applies"
          max={3}
          numeric
        />
        <Line
          values={values}
          name="closedAccountRetentionDays"
          label="Retention of closed accounts, in days"
          max={5}
          numeric
        />
        {RECORD_PERIODS.map((name) => (
          <Line
            values={values}
            name={name}
            label={PERIOD_TEXTS[name].label}
            hint={PERIOD_TEXTS[name].hint}
            max={5}
            numeric
          />
        ))}
        <Area
          values={values}
          name="holidays"
          label="Public holidays"
          hint="One date on each line, such as 2026-12-25"
          max={5_000}
        />
      </div>
      <fieldset>
        <legend>Services that hold data of this store's customers</legend>
        <p class="hint">For requests that are opened from now on</p>
        <Box
          values={values}
          name="allParticipants"
          label="All services of the configuration, also those that are added later"
        />
        {participants.map((service) => (
          <Box
            values={values}
            name={`participant.${service}`}
            label={service}
          />
        ))}
      </fieldset>
    </fieldset>
  );
}

function Languages({ values }: { values: FormValues }) {
  return (
    <fieldset>
      <legend>Languages of documents</legend>
      <p class="hint">A document is in the language of the customer's locale. Without a choice: all</p>
      {LANGUAGES.map((language) => (
        <Box values={values} name={`language.${language}`} label={TEXTS[language].languageName} />
      ))}
      <Options
        values={values}
        name="defaultLanguage"
        label="Language for other locales, and of the statements on this page"
        options={LANGUAGES.map((language) => [language, TEXTS[language].languageName])}
        none="English"
      />
    </fieldset>
  );
}

function LegalBases({ values }: { values: FormValues }) {
  return (
    <fieldset>
      <legend>Legal basis of each purpose</legend>
      {PURPOSES.map((purpose) => (
        <div class="fields">
          <Options
            values={values}
            name={`basis.${purpose}`}
            label={capitalize(purposes[purpose])}
            options={LEGAL_BASES.map((basis) => [basis, legalBases[basis]])}
            none="Not stated"
          />
          <Line
            values={values}
            name={`explanation.${purpose}`}
            label={`Explanation: ${purposes[purpose]}`}
            max={500}
          />
        </div>
      ))}
    </fieldset>
  );
}

function Recipients({ values }: { values: FormValues }) {
  return (
    <fieldset>
      <legend>Recipients by category of data</legend>
      <p class="hint">
        In addition to staff and to the services that the configuration names. One recipient on each line
      </p>
      <div class="fields">
        {CATEGORIES.map((category) => (
          <Area
            values={values}
            name={`recipients.${category}`}
            label={capitalize(categories[category])}
            max={4_100}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Transfers({ values }: { values: FormValues }) {
  return (
    <fieldset>
      <legend>Transfers to third countries</legend>
      <Box values={values} name="noThirdCountries" label="No data are transferred to third countries" />
      {Array.from(
        { length: rowsOf(values) },
        (_, row) => (
          <div class="fields" role="group" aria-label={`Transfer ${row + 1}`}>
            <Line
              values={values}
              name={`country.${row}`}
              label={`Country of transfer ${row + 1}`}
              hint="ISO 3166, such as US"
              max={2}
            />
            <Line
              values={values}
              name={`transferRecipient.${row}`}
              label={`Recipient of transfer ${row + 1}`}
              max={200}
            />
            <Line
              values={values}
              name={`safeguard.${row}`}
              label={`Safeguard of transfer ${row + 1}`}
              max={500}
            />
          </div>
        ),
      )}
      <p class="hint">To add more, save the settings first.</p>
    </fieldset>
  );
}

function Changes({ changes, viewer }: { changes: readonly ActorEventRow[]; viewer: string }): Child {
  if (changes.length === 0) return <p class="empty">The settings have not been changed yet.</p>;
  return (
    <ul>
      {changes.map(({ at, principalId, principalType, principalService, changedFields }) => (
        <li>
          <Instant at={at} />:{" "}
          {changedFields.length > 0 ? fieldLabels(changedFields) : "nothing that is stated"}, by{" "}
          <PrincipalName id={principalId} type={principalType} service={principalService} viewer={viewer} />
        </li>
      ))}
    </ul>
  );
}

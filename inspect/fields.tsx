/** Fields of forms about customers and groups, with what is wrong and what is stored now. */
import type { Child } from "@hono/hono/jsx";
import type { z } from "zod";
import type { FieldError } from "../domain/errors.ts";
import type { InspectContext } from "./session.ts";

/** A submitted form that was refused, and is shown again with what was entered. */
export interface RefusedForm {
  action: string;
  /** ID of the address or the group; empty for the customer or group of the page. */
  target: string;
  values: Readonly<Record<string, string>>;
  fields: readonly FieldError[];
}

/** Result of a submitted form, shown on top of the page. */
export interface FormAttempt {
  done: boolean;
  message: string;
  form?: RefusedForm;
}

export interface FieldProps {
  /** Beginning of the ID; the forms of a page have different ones. */
  form: string;
  name: string;
  label: string;
  /** Schema of the value; it says whether a value is required, and gives an example. */
  schema: z.ZodType;
  /** Stored value; undefined: none. */
  stored: string | undefined;
  refused: RefusedForm | undefined;
  /** ID of a list of proposals. */
  list?: string;
}

/** One line of text. */
export function TextField({ form, name, label, schema, stored = "", refused, list }: FieldProps) {
  const id = `${form}-${name}`;
  const { example, format } = schema.meta() ?? {};
  const isRequired = !schema.safeParse("").success;
  const value = refused?.values[name] ?? stored;
  const error = refused?.fields.find(({ field }) => field === name);
  const hints = [
    ...(error ? [{ id: `${id}-error`, text: <>{capitalized(error.message)}.</>, isError: true }] : []),
    ...(refused && value !== stored
      ? [{ id: `${id}-stored`, text: <StoredValue value={stored} />, isError: false }]
      : []),
    ...(example !== undefined
      ? [{ id: `${id}-hint`, text: <>{`Such as ${String(example)}`}</>, isError: false }]
      : []),
  ];
  return (
    <div class="field">
      <label for={id}>{isRequired ? label : `${label} (optional)`}</label>
      {hints.map(({ id, text, isError }) => <p id={id} class={isError ? "hint wrong" : "hint"}>{text}</p>)}
      <input
        id={id}
        name={name}
        type={format === "email" ? "email" : "text"}
        value={value}
        list={list}
        required={isRequired}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={hints.length > 0 ? hints.map(({ id }) => id).join(" ") : undefined}
      />
    </div>
  );
}

function StoredValue({ value }: { value: string }) {
  return value === "" ? <>Stored now: nothing</> : (
    <>
      Stored now: <bdi>{value}</bdi>
    </>
  );
}

const capitalized = (message: string) => message.charAt(0).toUpperCase() + message.slice(1);

export interface ActionFormProps {
  c: InspectContext;
  /** Path that the form is sent to. */
  path: string;
  /** Name of the command. */
  action: string;
  target?: string;
  /** The version that the page shows; undefined: the actor does not exist yet. */
  version: number | undefined;
  title: string;
  /** Label of the button; absent: the title. */
  button?: string | undefined;
  /** Label of the box that has to be checked; absent: none. */
  confirm?: string | undefined;
  /** Whether the change is hard to undo. */
  isFinal?: boolean;
  refused: RefusedForm | undefined;
  children?: Child;
}

/** ID of the form of a command, which differs for each address or group. */
export function formId(action: string, target = ""): string {
  return `${action.replaceAll(".", "-")}${target === "" ? "" : `-${target}`}`;
}

/** The refused form, if it is the one of this command. */
export function refusedBy(
  attempt: FormAttempt | undefined,
  action: string,
  target = "",
): RefusedForm | undefined {
  const form = attempt?.form;
  return form?.action === action && form.target === target ? form : undefined;
}

/** A form that its summary opens without a script. */
export function ActionForm(
  {
    c,
    path,
    action,
    target = "",
    version,
    title,
    button = title,
    confirm,
    isFinal = false,
    refused,
    children,
  }: ActionFormProps,
) {
  return (
    <details
      id={formId(action, target)}
      class={isFinal ? "action final" : "action"}
      open={refused !== undefined}
    >
      <summary>{title}</summary>
      <form method="post" action={path} data-keep={refused && "input"}>
        <HiddenFields c={c} action={action} target={target} version={version} />
        {children}
        {confirm !== undefined && (
          <label class="confirm">
            <input type="checkbox" name="confirmed" value="yes" required /> {confirm}
          </label>
        )}
        <button type="submit">{button}</button>
      </form>
    </details>
  );
}

export function HiddenFields(
  { c, action, target = "", version }: Pick<ActionFormProps, "c" | "action" | "target" | "version">,
) {
  const { csrf } = c.var;
  return (
    <>
      {csrf !== undefined && <input type="hidden" name="csrf" value={csrf} />}
      <input type="hidden" name="action" value={action} />
      {target !== "" && <input type="hidden" name="target" value={target} />}
      {version !== undefined && <input type="hidden" name="version" value={String(version)} />}
    </>
  );
}

/** What a submitted form has done, or why it was refused. */
export function AttemptMessage({ attempt }: { attempt: FormAttempt | undefined }) {
  if (!attempt) return null;
  const { done, message, form } = attempt;
  return (
    <p class={done ? "notice" : "problem"} role={done ? "status" : "alert"}>
      {message}
      {form && (
        <>
          {" "}
          <a href={`#${formId(form.action, form.target)}`}>Go to the form</a>
        </>
      )}
    </p>
  );
}

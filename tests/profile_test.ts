/** Every edge offers every field of the profile, and only those: compared with the definition in domain/profile.ts. */
import assert from "node:assert/strict";
import { buildSchema, isInputObjectType, isObjectType } from "graphql";
import { PROFILE_FIELDS, PROFILE_LABELS, type ProfileField } from "../domain/profile.ts";
import { PERSONAL_DATA } from "../db/personal_data.ts";
import { TEXTS } from "../actors/gdpr/texts/mod.ts";
import { BulkRowSchema } from "../rest/customers/bulk_rows.ts";
import { CustomerChangesSchema, CustomerSchema, NewCustomerSchema } from "../rest/customers/customer.ts";
import { NewRequestSchema } from "../rest/gdpr_requests/request.ts";
import { register, shopper } from "./actors/world.ts";
import { startGraph } from "./graph/server.ts";
import { startInspector } from "./inspect/server.ts";
import { textOf } from "./inspect/request_pages.ts";
import { startRest } from "./rest/server.ts";

/** A value for each field. A new field has no value here yet, so this file does not compile without one. */
const VALUES: Record<ProfileField, string> = {
  email: "augusta@lovelace.example",
  firstName: "Augusta",
  lastName: "Lovelace-King",
  phone: "+441234567890",
  locale: "en-GB",
};
/** Fields that shoppers cannot change, because they belong to the sign-in. */
const OF_SIGN_IN: readonly string[] = ["email"];

const columnOf = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const missing = (names: Iterable<string>, expected: readonly string[] = PROFILE_FIELDS) => {
  const present = new Set(names);
  return expected.filter((name) => !present.has(name));
};

Deno.test("schemas, personal-data map and texts have every field of the profile", async () => {
  assert.deepEqual(Object.keys(VALUES), PROFILE_FIELDS);
  assert.deepEqual(missing(Object.keys(PROFILE_LABELS)), []);
  const { corrections } = NewRequestSchema.shape;
  const schemas = {
    CustomerSchema: CustomerSchema.shape,
    NewCustomerSchema: NewCustomerSchema.shape,
    CustomerChangesSchema: CustomerChangesSchema.shape,
    BulkRowSchema: BulkRowSchema.shape,
    corrections: corrections.unwrap().shape,
  };
  for (const [name, shape] of Object.entries(schemas)) {
    assert.deepEqual(missing(Object.keys(shape)), [], name);
  }

  const columns = PROFILE_FIELDS.map(columnOf);
  const erased = Object.entries(PERSONAL_DATA.customers ?? {}).filter(([, { onErasure }]) =>
    onErasure === "null"
  );
  assert.deepEqual(erased.map(([column]) => column), columns, "an erasure empties the profile");
  for (const { language, columns: words } of Object.values(TEXTS)) {
    assert.deepEqual(missing(Object.keys(words), columns), [], language);
  }

  const schema = buildSchema(await Deno.readTextFile(new URL("../graph/schema.graphql", import.meta.url)), {
    assumeValidSDL: true,
  });
  const changeable = PROFILE_FIELDS.filter((field) => !OF_SIGN_IN.includes(field));
  for (const [name, fields] of [["Customer", PROFILE_FIELDS], ["UpdateProfileInput", changeable]] as const) {
    const type = schema.getType(name);
    assert.ok(isObjectType(type) || isInputObjectType(type));
    assert.deepEqual(missing(Object.keys(type.getFields()), fields), [], name);
  }
  const rectification = schema.getType("RequestRectificationInput");
  assert.ok(isInputObjectType(rectification));
  assert.deepEqual(Object.keys(rectification.getFields()), changeable);
});

Deno.test("each edge returns the value of every field", async () => {
  const fields = PROFILE_FIELDS.join(" ");
  await using graph = await startGraph();
  const me = await graph.ask(`{ me { ${fields} } }`, { as: shopper(await register(graph.world, VALUES)) });
  assert.deepEqual(me.data.me, VALUES);

  await using rest = await startRest();
  const as = rest.staff(["STORE_MANAGER"]);
  const created = await rest.call("POST", "/customers", { as, body: VALUES });
  const { customerId } = created.body;
  const found = await rest.call("GET", `/customers/${customerId}`, { as });
  const listed = await rest.call("GET", `/customers?email=${VALUES.email}`, { as });
  const exported = await rest.call("GET", "/customers/export", { as });
  const answers = {
    created: created.body,
    found: found.body,
    listed: listed.body.items[0],
    exported: JSON.parse(exported.text.split("\n")[0]!),
  };
  for (const [name, answer] of Object.entries(answers)) {
    const values = Object.fromEntries(PROFILE_FIELDS.map((field) => [field, answer[field]]));
    assert.deepEqual(values, VALUES, name);
  }
  const changed = PROFILE_FIELDS.map((field) => columnOf(field));
  const row = { customerId, ...Object.fromEntries(PROFILE_FIELDS.map((field) => [field, other(field)])) };
  const bulk = await rest.call("POST", "/customers/bulk", {
    as,
    body: `${JSON.stringify(row)}\n`,
    headers: { "content-type": "application/x-ndjson" },
  });
  assert.match(bulk.text, /"result":"UPDATED"/);
  const [event] = await rest.world.admin`
    select changed_fields from actor_events where actor_id = ${customerId} order by sequence desc limit 1`;
  assert.deepEqual(
    [...event?.changedFields ?? []].sort(),
    changed.sort(),
    "the bulk has changed every field",
  );

  await using inspector = await startInspector();
  const { id } = await register(inspector.world, VALUES);
  const manager = inspector.staff(["STORE_MANAGER"]);
  const page = textOf(await (await inspector.get(`/inspect/customers/${id}`, manager)).text());
  for (const field of PROFILE_FIELDS) {
    assert.match(page, new RegExp(`${PROFILE_LABELS[field]}\\s*${VALUES[field].replace("+", "\\+")}`), field);
  }
});

/** Another valid value of the field. */
function other(field: ProfileField): string {
  const values: Record<ProfileField, string> = {
    email: "ada@lovelace.example",
    firstName: "Ada",
    lastName: "King",
    phone: "+441234567891",
    locale: "fr-CH",
  };
  return values[field];
}

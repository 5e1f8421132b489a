/** Operations of clients: which command for which customer, with values that name both. */
import type { Call } from "./calls.ts";
import type { Operation, Values } from "./history.ts";
import type { Random } from "./random.ts";

export interface Customer {
  storeId: string;
  customerId: string;
}

/** Customers and groups that operations choose from. */
export interface Population {
  seed: number;
  stores: readonly string[];
  groups: Readonly<Record<string, readonly string[]>>;
  draw(random: Random): Customer | undefined;
  add(customer: Customer): void;
  remove(customer: Customer): void;
  /** Addresses that clients have added and not deleted. */
  addresses: (Customer & { addressId: string })[];
  nextId(): number;
  /** Whether operations open requests under the GDPR. */
  opensRequests: boolean;
}

type Facts = Pick<
  Operation,
  "id" | "command" | "right" | "storeId" | "customerId" | "principal" | "values" | "groupId" | "addressId"
>;

/** An operation before it is sent. */
export interface Plan extends Facts {
  mayChangeNothing?: boolean;
  principalType: "STAFF" | "SYSTEM" | "CUSTOMER";
  call: Omit<Call, "headers"> & { headers?: Record<string, string> };
  /** Returns what the answer adds to the operation. */
  // deno-lint-ignore no-explicit-any -- bodies of every shape
  onSuccess?(body: any): Partial<Operation>;
}

/** Many operations meet at the newest customers, and few concern an old one. */
const HOTTEST = 2;
const HOT = 25;

export function createPopulation(
  facts: Pick<Population, "seed" | "stores" | "groups" | "opensRequests">,
): Population {
  const customers: Customer[] = [];
  let id = 0;
  return {
    ...facts,
    addresses: [],
    nextId: () => ++id,
    add: (customer) => void customers.push(customer),
    remove({ customerId }) {
      const index = customers.findIndex((customer) => customer.customerId === customerId);
      if (index >= 0) customers.splice(index, 1);
    },
    draw(random) {
      if (customers.length === 0) return undefined;
      const newest = random.chance(0.3) ? HOTTEST : random.chance(0.9) ? HOT : customers.length;
      return random.pick(customers.slice(-newest));
    },
  };
}

/** Text that names an operation of a run, and ends with a letter so that no other one begins with it. */
export function valueOf(seed: number, id: number): string {
  return `Value${seed}q${id}z`;
}

/** Finds the IDs of the operations that a text has values of, in any case. */
export function operationsIn(text: string, seed: number): number[] {
  return [...text.matchAll(new RegExp(`value${seed}q(\\d+)z`, "gi"))].map(([, id]) => Number(id));
}

export function drawOperation(population: Population, random: Random): Plan | undefined {
  const customer = population.draw(random);
  if (!customer || random.chance(0.07)) return register(population, random);
  const [, draw] = random.pick(WEIGHTED);
  return draw({ population, random, customer, id: population.nextId(), principal: random.uuid() });
}

interface Choice {
  population: Population;
  random: Random;
  customer: Customer;
  id: number;
  principal: string;
}

type Draw = (choice: Choice) => Plan | undefined;

function register(population: Population, random: Random): Plan {
  const [id, storeId] = [population.nextId(), random.pick(population.stores)];
  const email = `${valueOf(population.seed, id).toLowerCase()}@chaos.example`;
  const values = { email, firstName: valueOf(population.seed, id), lastName: "Given" };
  const isService = random.chance(0.5);
  const customerId = isService ? random.uuid() : undefined;
  return {
    id,
    command: "register",
    storeId,
    ...(customerId !== undefined && { customerId }),
    principal: random.uuid(),
    principalType: isService ? "SYSTEM" : "STAFF",
    values,
    call: { method: "POST", path: "/customers", body: { ...values, ...(customerId && { customerId }) } },
    onSuccess(body) {
      population.add({ storeId, customerId: body.customerId });
      return { customerId: body.customerId };
    },
  };
}

const changeProfile: Draw = ({ population: { seed }, random, customer, id, principal }) => {
  const value = valueOf(seed, id);
  const field = random.pick(["firstName", "lastName", "email"] as const);
  const values: Values = { [field]: field === "email" ? `${value.toLowerCase()}@chaos.example` : value };
  const isStale = random.chance(0.05);
  return {
    id,
    command: "profile.update",
    ...customer,
    principal,
    principalType: "STAFF",
    values,
    call: {
      method: "PATCH",
      path: `/customers/${customer.customerId}`,
      body: values,
      ...(isStale && { headers: { "if-match": '"1"' } }),
    },
  };
};

const changeOwnProfile: Draw = ({ population: { seed }, customer, id }) => {
  const values = { firstName: valueOf(seed, id) };
  return {
    id,
    command: "profile.update",
    ...customer,
    principal: customer.customerId,
    principalType: "CUSTOMER",
    values,
    call: graphql(
      "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { customer { version } } }",
      { input: values },
    ),
    onSuccess: ({ data }) => ({ version: data.updateProfile.customer.version }),
  };
};

const addAddress: Draw = ({ population, customer, id, principal }) => {
  const values = { line1: valueOf(population.seed, id) };
  return {
    id,
    command: "address.add",
    ...customer,
    principal,
    principalType: "STAFF",
    values,
    call: {
      method: "POST",
      path: `/customers/${customer.customerId}/addresses`,
      body: { ...values, city: "Thun", country: "CH" },
    },
    onSuccess({ addressId }) {
      population.addresses.push({ ...customer, addressId });
      return { addressId };
    },
  };
};

const deleteAddress: Draw = ({ population, random, id, principal }) => {
  if (population.addresses.length === 0) return undefined;
  const index = random.between(0, population.addresses.length - 1);
  const [{ addressId, ...customer }] = population.addresses.splice(index, 1) as [
    Customer & { addressId: string },
  ];
  return {
    id,
    command: "address.delete",
    ...customer,
    addressId,
    principal,
    principalType: "STAFF",
    values: {},
    call: { method: "DELETE", path: `/customers/${customer.customerId}/addresses/${addressId}` },
  };
};

const membership = (command: "group.assign" | "group.remove"): Draw =>
({
  population: { groups },
  random,
  customer,
  id,
  principal,
}) => {
  const groupId = random.pick(groups[customer.storeId] ?? []);
  return {
    id,
    command,
    ...customer,
    groupId,
    principal,
    principalType: "STAFF",
    values: {},
    mayChangeNothing: true,
    call: {
      method: command === "group.assign" ? "PUT" : "DELETE",
      path: `/customers/${customer.customerId}/groups/${groupId}`,
    },
  };
};

const changeStatus = (command: "suspend" | "reinstate"): Draw => ({ customer, id, principal }) => ({
  id,
  command: `account.${command}`,
  ...customer,
  principal,
  principalType: "STAFF",
  values: { status: command === "suspend" ? "SUSPENDED" : "ACTIVE" },
  mayChangeNothing: true,
  call: { method: "POST", path: `/customers/${customer.customerId}/${command}` },
});

const MUTATIONS = { ERASURE: "requestErasure", ACCESS: "requestAccess", PORTABILITY: "requestPortability" };

const request = (right: keyof typeof MUTATIONS): Draw => ({ population, random, customer, id }) => {
  if (!population.opensRequests) return undefined;
  // Some erased customers stay among the others, so that commands and reads meet their erasure.
  if (right === "ERASURE" && random.chance(0.7)) population.remove(customer);
  const mutation = MUTATIONS[right];
  return {
    id,
    command: "open",
    right,
    ...customer,
    principal: customer.customerId,
    principalType: "CUSTOMER",
    values: {},
    mayChangeNothing: true,
    call: graphql(`mutation { ${mutation} { request { id } } }`, {}),
    onSuccess: ({ data }) => ({ requestId: data[mutation].request.id }),
  };
};

function graphql(query: string, variables: object): Plan["call"] {
  return { method: "POST", path: "/graphql", body: { query, variables } };
}

/** Every kind of operation as often as its weight says. */
const WEIGHTED = ([
  [34, changeProfile],
  [16, changeOwnProfile],
  [14, addAddress],
  [6, deleteAddress],
  [7, membership("group.assign")],
  [5, membership("group.remove")],
  [3, changeStatus("suspend")],
  [5, changeStatus("reinstate")],
  [7, request("ERASURE")],
  [4, request("ACCESS")],
  [4, request("PORTABILITY")],
] as const).flatMap(([weight, draw]) => Array.from({ length: weight }, () => [weight, draw] as const));

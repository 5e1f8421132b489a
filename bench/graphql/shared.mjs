import { readFileSync } from "node:fs";
import { importJWK, jwtVerify } from "jose";
import pg from "pg";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
export const typeDefs = read("schema.graphql");
const key = await importJWK(JSON.parse(process.env.JWK));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 });

export async function principal(authorization) {
  if (!authorization?.startsWith("Bearer ")) return {};
  const { payload } = await jwtVerify(authorization.slice(7), key, {
    issuer: process.env.ISSUER,
    audience: process.env.AUDIENCE,
    algorithms: ["EdDSA"],
  });
  return { customerId: payload.sub, storeId: payload.store_id };
}

const query = async (name, text, values) => (await pool.query({ name, text, values })).rows;

export const resolvers = {
  Query: {
    me: async (_root, _args, { storeId, customerId }) =>
      customerId
        ? (await query(
          "me",
          `select store_id as "storeId", customer_id as id, email, first_name as "firstName", last_name as "lastName"
            from customer where store_id = $1 and customer_id = $2`,
          [storeId, customerId],
        ))[0]
        : null,
  },
  Customer: {
    addresses: ({ storeId, id }) =>
      query(
        "addresses",
        `select address_id as id, line1, city, postal_code as "postalCode", country, is_default as "isDefault"
        from customer_address where store_id = $1 and customer_id = $2 order by address_id`,
        [storeId, id],
      ),
    shopperGroups: ({ storeId, id }) =>
      query(
        "groups",
        `select g.group_id as id, g.name, g.price_list_id as "priceListId", g.priority
        from customer_group_member m
        join customer_group g on g.store_id = m.store_id and g.group_id = m.group_id
        where m.store_id = $1 and m.customer_id = $2 order by g.priority`,
        [storeId, id],
      ),
  },
};

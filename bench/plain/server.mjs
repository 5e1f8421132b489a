// Plain service for comparison: grpc-js with the .proto file and pg, one query per call:
// `server.mjs DATABASE_URL PROTO_FOLDER PORT`.
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import pg from "pg";
import process from "node:process";

const [databaseUrl, protoFolder, port] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 });
const definition = protoLoader.loadSync("io/shopstar/customer/v1/customer_service.proto", {
  keepCase: true,
  enums: String,
  includeDirs: [protoFolder],
});
const { CustomerService } = grpc.loadPackageDefinition(definition).io.shopstar.customer.v1;

const QUERY = {
  name: "groups",
  text: `
    select c.anonymized_at, g.group_id, g.name, g.price_list_id, g.priority, m.assigned_at
    from customers c
    left join (customer_group_memberships m
      join shopper_groups g on g.store_id = m.store_id and g.group_id = m.group_id and g.deleted_at is null)
      on m.store_id = c.store_id and m.customer_id = c.customer_id
    where c.store_id = $1 and c.customer_id = $2
    order by g.priority desc, m.assigned_at, g.group_id`,
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function getCustomerGroups({ store_id, customer_id }) {
  if (!UUID.test(store_id) || !UUID.test(customer_id)) {
    throw Object.assign(new Error("not a UUID"), { code: grpc.status.INVALID_ARGUMENT });
  }
  const { rows } = await pool.query({ ...QUERY, values: [store_id, customer_id] });
  if (rows.length === 0) throw Object.assign(new Error("no such customer"), { code: grpc.status.NOT_FOUND });
  if (rows[0].anonymized_at) {
    throw Object.assign(new Error("anonymized"), { code: grpc.status.FAILED_PRECONDITION });
  }
  const memberships = rows.filter((row) => row.group_id !== null).map((row) => ({
    group_id: row.group_id,
    name: row.name,
    price_list_id: row.price_list_id,
    priority: row.priority,
    assigned_at: {
      seconds: Math.floor(row.assigned_at.getTime() / 1000),
      nanos: row.assigned_at.getMilliseconds() * 1_000_000,
    },
  }));
  const [first, second] = memberships;
  const reason = !first
    ? "NO_GROUP"
    : !second
    ? "ONLY_GROUP"
    : first.priority !== second.priority
    ? "HIGHEST_PRIORITY"
    : first.assigned_at.seconds !== second.assigned_at.seconds ||
        first.assigned_at.nanos !== second.assigned_at.nanos
    ? "EARLIEST_ASSIGNED"
    : "LOWEST_GROUP_ID";
  return {
    memberships,
    ...(first && { price_list_id: first.price_list_id }),
    price_list_reason: `PRICE_LIST_REASON_${reason}`,
  };
}

const server = new grpc.Server();
server.addService(CustomerService.service, {
  GetCustomerGroups: ({ request }, callback) => {
    getCustomerGroups(request).then((response) => callback(null, response), callback);
  },
});
server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});

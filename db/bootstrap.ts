/** One-time setup of a database server by an administrator. */
import postgres from "postgres";

/** Login of the service: a member of the roles, without rights until it sets one of them. */
export const LOGIN = "customer_service";

/**
 * Creates the roles, the login and an empty database owned by customer_owner, each unless it exists.
 *
 * @param adminUrl a connection that may create roles and databases
 * @returns the URL with which the service connects
 */
export async function bootstrap(adminUrl: string, database: string, password: string): Promise<string> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(await Deno.readTextFile(new URL("./roles.sql", import.meta.url)));
    const [login] = await sql`select from pg_roles where rolname = ${LOGIN}`;
    if (!login) await sql`create role ${sql(LOGIN)} login noinherit nosuperuser nobypassrls`;
    await sql.unsafe(`alter role ${LOGIN} password '${password.replaceAll("'", "''")}'`);
    await sql`grant customer_owner, customer_api, customer_reader, customer_worker to ${sql(LOGIN)}`;
    const [exists] = await sql`select from pg_database where datname = ${database}`;
    if (!exists) await sql`create database ${sql(database)} owner customer_owner`;
  } finally {
    await sql.end();
  }
  const url = new URL(adminUrl);
  url.username = LOGIN;
  url.password = encodeURIComponent(password); // the setter does not encode %
  url.pathname = `/${database}`;
  return url.href;
}

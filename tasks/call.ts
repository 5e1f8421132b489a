// deno-lint-ignore-file no-console -- a task prints its result
/** `./cs graphql|gateway|get|post|put|patch|delete|grpc …`: one call to a service in development, with a token. */
import { fromBinary, fromJsonString, toBinary, toJson } from "@bufbuild/protobuf";
import { parseArgs } from "node:util";
import { type Config, ConfigError, readConfig } from "../config/mod.ts";
import { localHost } from "../demo/host.ts";
import { DEMO } from "../demo/ids.ts";
import { Channel, GrpcError, pathOf } from "../grpc/mod.ts";
import { CustomerService } from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import { issueToken, readCaller, TokenError } from "./development_tokens.ts";

const HELP = `Calls the service that \`./cs start\` runs, and prints its answer.

  ./cs graphql QUERY [VARIABLES]     GraphQL, as the demo shopper
  ./cs gateway QUERY [VARIABLES]     the federated graph, with a sample order-service, as the demo shopper
  ./cs get PATH                      REST, as the manager of the demo store; also delete
  ./cs post PATH [JSON]              also put and patch
  ./cs grpc METHOD [JSON]            gRPC CustomerService, as cart-service; by default about the demo shopper
  ./cs TASK …                        a task of deno.json: start, test, token, receipt …

  --as CALLER       another caller, as \`./cs token --help\` lists them: --as 'service identity-service'
  -H 'NAME: VALUE'  a header of an HTTP call, such as -H 'if-match: "1"'

The calls go to the ports and use the keys of BIND, HTTP_PORT, GRPC_PORT and DATA_DIR, as \`start\` does. The
exit code is 1 if the service refuses the call; the status is then on standard error. In a terminal JSON is
indented.`;

/** One call needs it only. */
const TOKEN_SECONDS = 60;
const TIMEOUT_MS = 60_000;

interface Arguments {
  verb: string;
  operands: string[];
  as: string | undefined;
  headers: string[];
}

class UsageError extends Error {}

async function main(): Promise<number> {
  const given = parse(Deno.args);
  if (!given) return print(HELP);
  const config = readConfig(Deno.env.toObject());
  return given.verb === "grpc" ? await callGrpc(config, given) : await callHttp(config, given);
}

function parse(args: string[]): Arguments | undefined {
  const options = {
    as: { type: "string" },
    header: { type: "string", short: "H", multiple: true },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [verb = "help", ...operands] = positionals;
    if (values.help || verb === "help") return undefined;
    return { verb, operands, as: values.as, headers: values.header ?? [] };
  } catch {
    throw new UsageError("Cannot parse the options: only --as, -H and --help are known");
  }
}

async function authorize(config: Config, caller: string): Promise<string> {
  return `Bearer ${await issueToken(config, readCaller(caller.trim().split(/\s+/)), TOKEN_SECONDS)}`;
}

async function callHttp(config: Config, { verb, operands, as, headers: lines }: Arguments): Promise<number> {
  const isGraph = verb === "graphql" || verb === "gateway";
  const [subject, second] = operands;
  if (!subject || operands.length > 2) {
    throw new UsageError(`Cannot call ${verb}: expected ${isGraph ? "a query" : "a path"}; see ./cs help`);
  }
  const paths = { graphql: "/graphql", gateway: "/gateway/graphql" };
  const origin = `http://${localHost(config.bind)}:${config.httpPort}`;
  const url = new URL(isGraph ? paths[verb] : subject, origin);
  if (url.origin !== origin) throw new UsageError(`Cannot call ${url.origin}: a path begins with /`);
  const body = isGraph ? JSON.stringify({ query: subject, variables: second && readJson(second) }) : second;
  const headers = new Headers({
    authorization: await authorize(config, as ?? (isGraph ? "customer" : "staff")),
  });
  if (body !== undefined) headers.set("content-type", "application/json");
  for (const line of lines) addHeader(headers, line);
  const method = isGraph ? "POST" : verb.toUpperCase();
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal })
    .catch((cause) => {
      throw new UsageError(`Cannot reach ${origin}: run ./cs start, or set HTTP_PORT`, { cause });
    });
  await printBody(response);
  if (response.status < 400) return 0;
  console.error(`${response.status} ${response.statusText}`);
  return 1;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError("Cannot read the variables: expected JSON", { cause });
  }
}

function addHeader(headers: Headers, line: string): void {
  const [name = "", ...values] = line.split(":");
  if (values.length === 0 || !/^[\w-]+$/.test(name)) {
    throw new UsageError("Cannot read a header: expected 'NAME: VALUE'");
  }
  headers.set(name, values.join(":").trim());
}

/** Prints the body as it arrives; JSON ends with a line break. */
async function printBody(response: Response): Promise<void> {
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  if (isJson) return void print(indent(await response.text()));
  await response.body?.pipeTo(Deno.stdout.writable, { preventClose: true });
}

async function callGrpc(config: Config, { operands, as }: Arguments): Promise<number> {
  const [name, message] = operands;
  const method = CustomerService.methods.find((known) => known.name === name);
  if (!method || operands.length > 2) {
    const names = CustomerService.methods.map(({ name }) => name);
    throw new UsageError(`Cannot call gRPC: expected one of ${names.join(", ")}; see ./cs help`);
  }
  const demo = { customerId: DEMO.customerId, storeId: DEMO.storeId };
  const url = new URL(`http://${localHost(config.bind)}:${config.grpcPort}`);
  using channel = new Channel(url);
  try {
    const request = fromJsonString(method.input, message ?? JSON.stringify(demo));
    const metadata = ["authorization", await authorize(config, as ?? "service cart-service")];
    const options = { metadata, timeoutMs: TIMEOUT_MS };
    const answer = await channel.unary(pathOf(method), toBinary(method.input, request), options);
    return print(indent(JSON.stringify(toJson(method.output, fromBinary(method.output, answer)))));
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
    console.error(`${error.status} ${error.message}`);
    return 1;
  }
}

/** Indents JSON for a terminal, and leaves it to programs as it is. */
function indent(json: string): string {
  return Deno.stdout.isTerminal() && json !== "" ? JSON.stringify(JSON.parse(json), null, 2) : json;
}

function print(text: string): 0 {
  console.log(text);
  return 0;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  const isUsage = [UsageError, TokenError, ConfigError].some((type) => error instanceof type);
  if (!isUsage || !(error instanceof Error)) throw error;
  console.error(error.message);
  Deno.exitCode = 2;
}

/** Tour: the text that a development start prints, with addresses and calls to paste. */
import { localHost } from "./host.ts";

export interface TourOptions {
  bind: string;
  httpPort: number;
  grpcPort: number;
  /** Signs in to the inspector; undefined if development has no sign-in link. */
  signInCode: string | undefined;
  /** Description of the database. */
  database: string;
  /** Description of the sink. */
  events: string;
  /** Whether the demo data are loaded, which the calls read. */
  hasDemoData: boolean;
  /** Variables that lead `./cs` to this service, where they differ from the defaults. */
  variables: Readonly<Record<string, string>>;
}

export function tour(options: TourOptions): string {
  const { bind, httpPort, grpcPort, signInCode, database, events, hasDemoData } = options;
  const host = localHost(bind);
  const signIn = signInCode === undefined ? "" : `/sign-in?code=${signInCode}`;
  return `customer-service is ready

  Inspector http://${host}:${httpPort}/inspect${signIn}
  REST      http://${host}:${httpPort}/docs
  GraphQL   http://${host}:${httpPort}/graphql
  Gateway   http://${host}:${httpPort}/gateway/graphql
  gRPC      ${host}:${grpcPort}
  Database  ${database}
  Events    ${events}
${hasDemoData ? calls(options) : ""}
More calls and callers: ./cs help. Press Ctrl-C to stop.
`;
}

function calls({ variables }: TourOptions): string {
  const settings = Object.entries(variables).map(([name, value]) => `${name}=${quote(value)}`).join(" ");
  return `
Open the link of the inspector, and paste these calls into a second terminal in this folder:

${settings && `export ${settings}\n`}\
./cs graphql '{ me { email firstName addresses { line1 city } shopperGroups { name } } }'
./cs gateway '{ me { email orders { id total placedOn } } }'
./cs get '/customers?limit=2'
./cs grpc GetCustomerGroups
`;
}

/** Quotes a value for a shell. */
const quote = (value: string) => /^[\w./:-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;

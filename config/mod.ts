/** Everything that may be configured, read once at start from the environment. */

export interface KafkaConfig {
  brokers: string[];
  ssl: boolean;
  sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password: string };
  /** For topics that have to be created. */
  partitions: number;
  replicationFactor: number;
}

/** How HTTP callers prove who they are. */
export type AuthConfig =
  | { mode: "jwt"; jwksUrl: URL; issuer: string; audience: string }
  /** The built-in issuer for development; its keys live in the data directory. */
  | { mode: "development" }
  /** The platform's gateway has checked them and says so in headers. */
  | { mode: "gateway" };

/** How gRPC callers prove which service they are. */
export type GrpcAuthConfig =
  | { mode: "mtls"; certificate: string; key: string; clientCa: string }
  | { mode: "mesh" }
  | { mode: "token" }
  | { mode: "none" };

/** Methods of CustomerService that only some services may call. */
export type GrpcMethod = "GetCustomerGroups" | "GetCustomerSnapshot";

export interface Config {
  production: boolean;
  bind: string;
  httpPort: number;
  grpcPort: number;
  /** Undefined: the embedded PostgreSQL. */
  databaseUrl: string | undefined;
  /** Where development keeps its database and keys. */
  dataDirectory: string;
  /** Undefined: events go to the console. */
  kafka: KafkaConfig | undefined;
  eventFormat: "protobuf" | "json";
  auth: AuthConfig;
  grpcAuth: GrpcAuthConfig;
  /** Which services may call which method. */
  grpcCallers: Record<GrpcMethod, readonly string[]>;
}

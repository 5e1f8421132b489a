/** History of a run: what clients, participants, probes and faults have done, one JSON line each. */

/** Personal values and the status of a customer that operations write. */
export interface Values {
  email?: string | null;
  firstName?: string | null;
  lastName?: string | null;
  /** Name of the street of an address. */
  line1?: string;
  status?: string;
}

/** One sending of an operation to a replica. */
export interface Attempt {
  /** Milliseconds since the epoch. */
  at: number;
  ms: number;
  replica: string;
  /** "ok", an error code, UNREACHED before anything was sent, CUT or TIMEOUT without a complete answer. */
  answer: string;
}

/**
 * What the client may conclude: `ok` it was applied; `refused` it was not; `unknown` it may have been; `unsent` no
 * attempt left the client.
 */
export type Outcome = "ok" | "refused" | "unknown" | "unsent";

/** A command of a client, with all its attempts. */
export interface Operation {
  kind: "operation";
  /** Unique number, part of the values that it writes. */
  id: number;
  client: number;
  /** Event type of the journal, "profile.update". */
  command: string;
  /** Right of an `open`. */
  right?: string;
  storeId: string;
  /** Absent if the service chooses it and has not answered. */
  customerId?: string;
  /** A principal of its own, except for shoppers. */
  principal: string;
  /** A trace of its own. */
  trace: string;
  /** Whether it was repeated under an Idempotency-Key. */
  insists: boolean;
  values: Values;
  groupId?: string;
  /** The address that it deletes, or has added. */
  addressId?: string;
  requestId?: string;
  /** The operation may be accepted without a change: the state is already as requested. */
  mayChangeNothing: boolean;
  outcome: Outcome;
  /** The customer's version in the answer. */
  version?: number;
  /** Version in the answer to a repetition after the first answer. */
  versionRepeated?: number;
  attempts: Attempt[];
  startedAt: number;
  endedAt: number;
}

/** A read of a customer. */
export interface Read {
  kind: "read";
  method: "getCustomer" | "GetCustomerSnapshot" | "GetCustomerGroups";
  replica: string;
  storeId: string;
  customerId: string;
  startedAt: number;
  endedAt: number;
  /** "ok" or a code, as in an attempt. */
  answer: string;
  version?: number;
  values?: Values;
  groupIds?: string[];
}

/** A fault that was injected. */
export interface Fault {
  kind: "fault";
  name: string;
  target: string;
  startedAt: number;
  /** When the fault was removed. */
  endedAt: number;
  /** Answers that the proxy has kept from the service, if the fault does that. */
  lostAnswers?: number;
  /** Exit code of a replica that was asked to end; null after a signal. */
  exitCode?: number | null;
}

/** Name of the fault of a replica that ended without having been asked to. */
export const SELF_END = "a replica ended by itself";

/** Answer of `/readyz`. */
export interface ReadySample {
  kind: "ready";
  at: number;
  replica: string;
  /** Undefined: no answer. */
  status?: number;
}

/** A participant has read `customer.erasure_requested`, or was answered by ConfirmErasure. */
export interface Confirmation {
  kind: "confirmation";
  at: number;
  service: string;
  requestId: string;
  customerId: string;
  /** HEARD, or the status of the call. */
  status: string;
}

/** Documents of a request that a shopper has downloaded. */
export interface Download {
  kind: "download";
  requestId: string;
  /** IDs of the records of each participant in the document. */
  records: Record<string, number[]>;
}

/** Resident memory and sessions at a time. */
export interface Resources {
  kind: "resources";
  at: number;
  /** In MiB, by replica. */
  residentMiB: Record<string, number>;
}

/** The first line, and the last one without `endedAt` missing. */
export interface Run {
  kind: "run";
  seed: number;
  suite: string;
  replicas: string[];
  participants: string[];
  /** Time in which an erasure can be canceled, in milliseconds; absent: none. */
  graceMs?: number;
  /** Number of records that each participant has of each customer. */
  records: number;
  /** Time in which every replica has to serve after a single fault, in milliseconds. */
  recoveryMs: number;
  startedAt: number;
}

export interface End {
  kind: "end";
  at: number;
  /** Time of PostgreSQL when the tables were read. */
  dumpedAt: string;
}

export type Line =
  | Run
  | Operation
  | Read
  | Fault
  | ReadySample
  | Confirmation
  | Download
  | Resources
  | End;

/** Appends lines to a file until disposal. */
export function openHistory(path: string): { record: (line: Line) => void } & Disposable {
  const file = Deno.openSync(path, { create: true, write: true, truncate: true });
  const encoder = new TextEncoder();
  return {
    record(line) {
      const bytes = encoder.encode(`${JSON.stringify(line)}\n`);
      for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
    },
    [Symbol.dispose]: () => file.close(),
  };
}

export type Row = Record<string, unknown>;

/** A message in Kafka. */
export interface Message {
  topic: string;
  partition: number;
  offset: number;
  key: string;
  eventId: string;
  /** In protobuf's canonical JSON, with the headers. */
  payload: Row;
  headers: Record<string, string>;
}

/** All that a checker needs. */
export interface Evidence {
  run: Run;
  operations: Operation[];
  reads: Read[];
  faults: Fault[];
  ready: ReadySample[];
  confirmations: Confirmation[];
  downloads: Download[];
  resources: Resources[];
  end: End;
  /** Rows by table, in the spelling of the database. */
  tables: Record<string, Row[]>;
  messages: Message[];
  /** Output of every process of the service. */
  logs: { name: string; text: string }[];
}

/** Names of the files in the folder of a run. */
export const FILES = { history: "history.jsonl", messages: "kafka.jsonl", tables: "tables", logs: "logs" };

/** Reads the evidence that a run has kept in a folder. */
export async function readEvidence(folder: string): Promise<Evidence> {
  const lines = await readLines<Line>(`${folder}/${FILES.history}`);
  const tables: Evidence["tables"] = {};
  for await (const { name } of Deno.readDir(`${folder}/${FILES.tables}`)) {
    tables[name.replace(/\.jsonl$/, "")] = await readLines(`${folder}/${FILES.tables}/${name}`);
  }
  const logs: Evidence["logs"] = [];
  for await (const { name } of Deno.readDir(`${folder}/${FILES.logs}`)) {
    logs.push({ name, text: await Deno.readTextFile(`${folder}/${FILES.logs}/${name}`) });
  }
  return { ...collect(lines), tables, messages: await readLines(`${folder}/${FILES.messages}`), logs };
}

/** Sorts the lines of a history by their kind. */
export function collect(lines: readonly Line[]): Omit<Evidence, "tables" | "messages" | "logs"> {
  const of = <K extends Line["kind"]>(kind: K) =>
    lines.filter((line): line is Extract<Line, { kind: K }> => line.kind === kind);
  const [run, end] = [of("run")[0], of("end")[0]];
  if (!run || !end) throw new Error("The history is incomplete: its run did not end");
  return {
    run,
    end,
    operations: of("operation"),
    reads: of("read"),
    faults: of("fault"),
    ready: of("ready"),
    confirmations: of("confirmation"),
    downloads: of("download"),
    resources: of("resources"),
  };
}

async function readLines<T>(path: string): Promise<T[]> {
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

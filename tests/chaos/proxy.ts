/**
 * Proxy between a replica and PostgreSQL that can refuse, hold back and cut connections, and lose the answers to
 * changes that PostgreSQL has committed.
 */

export interface DatabaseProxy extends Disposable {
  port: number;
  /** Connects to another port from now on; open connections stay. */
  switchTo(port: number): void;
  /** Closes the open connections. */
  cut(): void;
  /** Refuses new connections, or accepts them again. Open ones are cut. */
  refuse(on: boolean): void;
  /** Holds back all data, or releases it. */
  silence(on: boolean): void;
  /** Loses the answers to commits with this probability, and the connection with each; 0 for none. */
  loseAnswers(lose: () => boolean): void;
  /** Number of lost answers. */
  lost(): number;
}

const NO_LOSS = () => false;

/** @param to port of PostgreSQL on this machine */
export function startDatabaseProxy(to: number): DatabaseProxy {
  let target = to;
  let listener: Deno.Listener | undefined = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (listener.addr as Deno.NetAddr).port;
  const open = new Set<Deno.Conn>();
  let free: Promise<void> = Promise.resolve();
  let release = () => {};
  let shouldLose = NO_LOSS;
  let lost = 0;

  const close = (...sides: Deno.Conn[]) => {
    for (const side of sides) if (open.delete(side)) side.close();
  };
  const pump = async (from: Deno.Conn, into: Deno.Conn, pass: (chunk: Uint8Array) => Uint8Array[]) => {
    try {
      const buffer = new Uint8Array(65_536);
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        await free;
        for (const part of pass(buffer.subarray(0, read))) {
          for (let sent = 0; sent < part.length;) sent += await into.write(part.subarray(sent));
        }
      }
    } catch { /* one side has closed */ }
    close(from, into);
  };
  const accept = async (from: Deno.Listener) => {
    for await (const client of from) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target }).catch(() => undefined);
      if (!server || !listener) {
        client.close();
        server?.close();
        continue;
      }
      open.add(client).add(server);
      const conversation = createConversation();
      pump(client, server, (chunk) => {
        conversation.sent(chunk);
        return [chunk];
      });
      pump(server, client, (chunk) => {
        const passed = conversation.received(chunk, () => shouldLose());
        if (!passed) {
          lost++;
          close(client, server);
        }
        return passed ?? [];
      });
    }
  };
  accept(listener);
  const cut = () => close(...open);
  const stopListening = () => {
    listener?.close();
    listener = undefined;
  };
  return {
    port,
    cut,
    switchTo(port) {
      target = port;
    },
    refuse(on) {
      if (on) stopListening();
      else if (!listener) accept(listener = Deno.listen({ hostname: "127.0.0.1", port }));
      if (on) cut();
    },
    silence(on) {
      release();
      const blocked = Promise.withResolvers<void>();
      free = on ? blocked.promise : Promise.resolve();
      release = on ? blocked.resolve : () => {};
    },
    loseAnswers(lose) {
      shouldLose = lose;
    },
    lost: () => lost,
    [Symbol.dispose]() {
      release();
      stopListening();
      cut();
    },
  };
}

/** Statements that change something: a COMMIT, the function that stores commands, and single statements. */
const COMMITTING = /^\s*(commit\b|insert\b|update\b|delete\b|with\b)|\bstore_commits\b/i;

/** The messages of a connection, as far as it matters which answers belong to commits. */
function createConversation() {
  const toServer = createFramer(true);
  const toClient = createFramer(false);
  /** Whether each prepared statement commits. */
  const statements = new Map<string, boolean>();
  /** Whether each group of messages, up to its Sync, commits; in the order of their answers. */
  const groups: boolean[] = [];
  let commits = false;
  let isStarted = false;
  let hasFailed = false;
  let held: Uint8Array[] = [];

  const sent = (chunk: Uint8Array) => {
    for (const { type, message } of toServer(chunk)) {
      if (type === "P") {
        const [name, text] = textsOf(message);
        statements.set(name, COMMITTING.test(text));
      } else if (type === "B") commits ||= statements.get(textsOf(message)[1]) ?? false;
      else if (type === "Q") groups.push(COMMITTING.test(textsOf(message)[0]));
      else if (type === "S") {
        groups.push(commits);
        commits = false;
      }
    }
  };

  /** Returns what to pass on; undefined if the answer is lost. */
  const received = (chunk: Uint8Array, lose: () => boolean): Uint8Array[] | undefined => {
    const passed: Uint8Array[] = [];
    for (const { type, message } of toClient(chunk)) {
      held.push(message);
      if (type === "E") hasFailed = true;
      if (type === "Z") {
        const isCommit = isStarted && (groups.shift() ?? false) && !hasFailed && message.at(-1) === IDLE;
        isStarted = true;
        hasFailed = false;
        if (isCommit && lose()) return undefined;
        passed.push(...held);
        held = [];
      } else if (groups[0] !== true) {
        passed.push(...held);
        held = [];
      }
    }
    return passed;
  };
  return { sent, received };
}

/** State of a ReadyForQuery outside of a transaction. */
const IDLE = "I".charCodeAt(0);

interface Framed {
  type: string;
  /** The whole message, with its type and length. */
  message: Uint8Array;
}

/**
 * Splits a stream into messages of PostgreSQL's protocol.
 *
 * @param startsUntyped the first message has no type, as a client's startup message
 */
function createFramer(startsUntyped: boolean): (chunk: Uint8Array) => Framed[] {
  let rest: Uint8Array = new Uint8Array();
  let untyped = startsUntyped;
  return (chunk) => {
    const joined = new Uint8Array(rest.length + chunk.length);
    joined.set(rest);
    joined.set(chunk, rest.length);
    const view = new DataView(joined.buffer);
    const messages: Framed[] = [];
    let at = 0;
    for (;;) {
      const header = untyped ? 0 : 1;
      if (joined.length - at < header + 4) break;
      const length = header + view.getUint32(at + header);
      if (joined.length - at < length) break;
      const type = untyped ? "" : String.fromCharCode(joined[at]!);
      messages.push({ type, message: joined.subarray(at, at + length) });
      untyped = false;
      at += length;
    }
    rest = joined.subarray(at);
    return messages;
  };
}

/** The first two texts of a message, each ended by a zero byte. */
function textsOf(message: Uint8Array): [string, string] {
  const first = message.indexOf(0, 5);
  const second = message.indexOf(0, first + 1);
  const decode = (from: number, to: number) => new TextDecoder().decode(message.subarray(from, to));
  return [decode(5, first), second === -1 ? "" : decode(first + 1, second)];
}

/**
 * Transaction pooler for tests: it gives consecutive transactions of a client to different server sessions,
 * so that nothing that a session keeps reaches the next transaction. It needs no logins: a client logs in to a session
 * of its own, which then serves the others.
 */

/** Startup parameters that PgBouncer accepts; it refuses all others. */
const KNOWN = ["user", "database", "client_encoding", "application_name", "options"];
const [SYNC, QUERY, TERMINATE, READY, ERROR] = [0x53, 0x51, 0x58, 0x5a, 0x45];
const IDLE = 0x49;

export interface TransactionPooler extends AsyncDisposable {
  port: number;
  /** Number of transactions whose session differs from that of the client's transaction before. */
  moves(): number;
  /** Reads of data of a client: an upper bound of its writes. */
  reads(): number;
}

interface Client {
  connection: Deno.Conn;
  /** Session of the running transaction. */
  session: Session | undefined;
  last: Session | undefined;
  /** Messages that the server answers with ReadyForQuery, and has not yet. */
  pending: number;
}

interface Session {
  connection: Deno.Conn;
  client: Client | undefined;
}

export function startTransactionPooler(to: number): TransactionPooler {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const free: Session[] = [];
  const waiting: ((session: Session) => void)[] = [];
  let [moves, reads] = [0, 0];

  /** The least recently used session, and not the client's last one if there is another. */
  const take = async (client: Client): Promise<Session> => {
    const at = free.findIndex((session) => session !== client.last);
    const [session] = free.splice(Math.max(at, 0), 1);
    return session ?? await new Promise<Session>((resolve) => waiting.push(resolve));
  };
  const release = (session: Session) => {
    session.client = undefined;
    const next = waiting.shift();
    if (next) next(session);
    else free.push(session);
  };

  const serveSession = async (session: Session) => {
    for await (const message of messages(session.connection)) {
      const { client } = session;
      if (!client) continue; // a parameter that has changed
      await write(client.connection, message);
      if (message[0] !== READY) continue;
      client.pending--;
      if (client.pending > 0 || message[5] !== IDLE) continue;
      client.session = undefined;
      release(session);
    }
  };

  const serveClient = async (connection: Deno.Conn) => {
    const packet = await readStartup(connection);
    const refused = parametersOf(packet).find((name) => !KNOWN.includes(name.toLowerCase()));
    if (refused !== undefined) {
      await write(connection, fatal("08P01", `unsupported startup parameter: ${refused}`));
      return connection.close();
    }
    const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
    open.add(server);
    await write(server, packet);
    if (!(await relayLogin(connection, server))) return;
    const session: Session = { connection: server, client: undefined };
    serveSession(session).catch(() => {});
    release(session);

    const client: Client = { connection, session: undefined, last: undefined, pending: 0 };
    for await (const message of messages(connection, () => reads++)) {
      if (message[0] === TERMINATE) return;
      if (message[0] === QUERY || message[0] === SYNC) client.pending++;
      if (!client.session) {
        const session = await take(client);
        if (client.last !== undefined && session !== client.last) moves++;
        client.session = client.last = session;
        session.client = client;
      }
      await write(client.session.connection, message);
    }
  };

  (async () => {
    for await (const connection of listener) {
      open.add(connection);
      serveClient(connection).catch(() => {}).finally(() => close(connection));
    }
  })().catch(() => {});
  const close = (connection: Deno.Conn) => {
    if (!open.delete(connection)) return;
    try {
      connection.close();
    } catch { /* it is closed */ }
  };
  return {
    port: listener.addr.port,
    moves: () => moves,
    reads: () => reads,
    [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      return Promise.resolve();
    },
  };
}

/** Relays messages of both directions until the session is ready. Returns false for a refused login. */
async function relayLogin(client: Deno.Conn, server: Deno.Conn): Promise<boolean> {
  const reading = messages(server);
  for (;;) {
    const { value: message, done } = await reading.next();
    if (done) return false;
    await write(client, message);
    if (message[0] === READY) return true;
    if (message[0] === ERROR) return false;
    // Authentication requests that a client answers: passwords and SASL without its last message.
    if (message[0] !== 0x52 || ![3, 5, 10, 11].includes(view(message).getUint32(5))) continue;
    const answer = await readOnce(client);
    if (!answer) return false;
    await write(server, answer);
  }
}

async function readStartup(connection: Deno.Conn): Promise<Uint8Array> {
  return await readOnce(connection) ?? new Uint8Array();
}

function parametersOf(packet: Uint8Array): string[] {
  const words = new TextDecoder().decode(packet.subarray(8)).split("\0");
  return words.filter((word, at) => at % 2 === 0 && word !== "");
}

async function readOnce(connection: Deno.Conn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(16_384);
  const length = await connection.read(buffer);
  return length === null ? undefined : buffer.slice(0, length);
}

/** Splits a stream into its messages: a type, a length, and a body. */
async function* messages(connection: Deno.Conn, onRead = () => {}): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array();
  for (;;) {
    while (rest.length >= 5) {
      const length = view(rest).getUint32(1) + 1;
      if (rest.length < length) break;
      yield rest.slice(0, length);
      rest = rest.slice(length);
    }
    const read = await readOnce(connection).catch(() => undefined);
    if (!read) return;
    onRead();
    rest = new Uint8Array([...rest, ...read]);
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
}

function fatal(code: string, message: string): Uint8Array {
  const body = new TextEncoder().encode(`SFATAL\0C${code}\0M${message}\0\0`);
  const packet = new Uint8Array(5 + body.length);
  packet[0] = ERROR;
  view(packet).setUint32(1, 4 + body.length);
  packet.set(body, 5);
  return packet;
}

/** TCP proxy with which a test can hold back traffic. */

export interface TcpProxy {
  port: number;
  /** Holds back all data from now on, or releases it. */
  hold(silent: boolean): void;
  /** Holds back data of the open connections forever, as if their host had failed. New connections work. */
  forget(): void;
  /** Connects to another port from now on. Open connections stay. */
  switchTo(port: number): void;
  /** Closes the open connections. */
  cut(): void;
  close(): void;
}

/** Forwards connections to another port of this machine. */
export function startTcpProxy(port: number, to: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const open = new Set<Deno.Conn>();
  let target = to;
  let free = Promise.resolve();
  let release = () => {};
  let forgotten = Promise.withResolvers<void>();
  const carry = async (from: Deno.Conn, into: Deno.Conn) => {
    let gone = false;
    forgotten.promise.then(() => gone = true);
    try {
      const buffer = new Uint8Array(65_536);
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        await free;
        if (gone) await closing.promise;
        for (let sent = 0; sent < read;) sent += await into.write(buffer.subarray(sent, read));
      }
    } catch { /* one side has closed */ }
    for (const side of [from, into]) close(side);
  };
  const closing = Promise.withResolvers<void>();
  const close = (side: Deno.Conn) => {
    if (open.delete(side)) side.close();
  };
  (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target }).catch(() => undefined);
      if (!server) {
        client.close();
        continue;
      }
      open.add(client).add(server);
      carry(client, server);
      carry(server, client);
    }
  })();
  let closed = false;
  const cut = () => {
    for (const side of open) close(side);
  };
  return {
    port: listener.addr.port,
    hold(silent: boolean) {
      release();
      const blocked = Promise.withResolvers<void>();
      if (silent) [free, release] = [blocked.promise, blocked.resolve];
    },
    switchTo(port: number) {
      target = port;
    },
    cut,
    forget() {
      forgotten.resolve();
      forgotten = Promise.withResolvers();
    },
    close() {
      if (closed) return;
      closed = true;
      release();
      closing.resolve();
      listener.close();
      cut();
    },
  };
}

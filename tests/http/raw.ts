/** Raw HTTP/1.1 client, for requests that no library sends. */

export interface RawConnection extends AsyncDisposable {
  write(text: string): Promise<void>;
  /** Everything the server sends until it closes the connection. */
  untilClosed(): Promise<string>;
  /** Output of the server up to and including the text. */
  until(text: string): Promise<string>;
  /** Output of the server up to and including the nth occurrence of the text. */
  untilCount(text: string, count: number): Promise<string>;
  /** Disconnects at once, even during a request. */
  close(): void;
}

export async function connectRaw(origin: string): Promise<RawConnection> {
  const { hostname, port } = new URL(origin);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const [decoder, buffer] = [new TextDecoder(), new Uint8Array(16_384)];
  let received = "";
  async function more(): Promise<boolean> {
    const length = await connection.read(buffer).catch(() => null);
    if (length !== null) received += decoder.decode(buffer.subarray(0, length));
    return length !== null;
  }
  async function untilCount(text: string, count: number): Promise<string> {
    while (received.split(text).length <= count) {
      if (!await more()) throw new Error(`The server closed the connection after: ${received}`);
    }
    return received;
  }
  const close = () => {
    try {
      connection.close();
    } catch { /* closed already */ }
  };
  return {
    async write(text) {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    },
    async untilClosed() {
      while (await more());
      return received;
    },
    until: (text) => untilCount(text, 1),
    untilCount,
    close,
    // deno-lint-ignore require-await -- a connection is closed at once
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}

/** A POST with an incomplete body: chunked, only its first byte. */
export function unfinished(path: string, headers: Record<string, string> = {}): string {
  return `${head(path, { ...headers, "transfer-encoding": "chunked" })}1\r\n{\r\n`;
}

/** The head of a POST with JSON. */
export function head(path: string, headers: Record<string, string>): string {
  const all = { host: "localhost", "content-type": "application/json", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

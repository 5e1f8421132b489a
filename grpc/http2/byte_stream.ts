/** Bidirectional byte stream: what HTTP/2 needs from TCP or TLS. `Deno.TcpConn` and `Deno.TlsConn` are such streams. */
export interface ByteStream {
  /** Resolves with the number of bytes that were read, or null after the peer's last byte. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves with the number of bytes that were taken, at least one. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the own direction after what was written. */
  closeWrite?(): Promise<void>;
  /** Closes both directions at once; pending reads and writes reject or resolve. May be called again. */
  close(): void;
}

/** Peer of an accepted connection. */
export interface Peer {
  /** IP address, "127.0.0.1". */
  address: string;
  /** Verified client certificate, DER. Undefined without mutual TLS. */
  certificate?: Uint8Array | undefined;
}

/** Bounds of one connection. Sizes in bytes, times in milliseconds. */
export interface ConnectionLimits {
  /** Largest header list that is taken, counted as RFC 9113 section 6.5.2 does. */
  headerListBytes: number;
  /** Largest compressed header block, over all its CONTINUATION frames. */
  headerBlockBytes: number;
  continuationFrames: number;
  /** Dynamic table of the header decoder. */
  headerTableBytes: number;
  /** Window of each stream that the peer may fill. */
  streamWindow: number;
  /** Window of the connection that the peer may fill. */
  connectionWindow: number;
  /** Streams of the peer at a time once it is authenticated; a stream counts until its handler has ended. */
  streams: number;
  /** Streams of the peer at a time before it is authenticated. */
  strangerStreams: number;
  /** Bytes that wait for the peer's windows; beyond, new streams are refused. */
  blockedBytes: number;
  /** Bytes that wait for the socket; beyond, nothing more is read. */
  unsentBytes: number;
  /** Time without progress after which a peer that does not read, or does not open its windows, is cut off. */
  stallMs: number;
  /** Time that the peer has for its first request, TLS included. */
  firstRequestMs: number;
  /** Time that the rest of a header block, or of a unary request, may take. */
  requestMs: number;
  /** Silence after which the peer is asked for a sign of life, and the time it has for the answer. */
  keepAliveMs: number;
  keepAliveAnswerMs: number;
  /** Age at which a connection is asked to go, so that clients spread over replicas; each one gets up to 10 % less. */
  ageMs: number;
  /** Time that the streams of a connection have after it was asked to go. */
  ageGraceMs: number;
  /** Time without a stream after which a connection that has authenticated nothing is closed. */
  strangerIdleMs: number;
  /** Time that a connection is still read after its last words, so that they are not lost with its closing. */
  lingerMs: number;
  /** Interval at which the clocks above are read: a limit in time may take effect this much later. */
  tickMs: number;
}

export const CONNECTION_LIMITS: Readonly<ConnectionLimits> = {
  headerListBytes: 16_384,
  headerBlockBytes: 16_384,
  continuationFrames: 8,
  headerTableBytes: 4_096,
  streamWindow: 65_535,
  connectionWindow: 1_048_576,
  streams: 100,
  strangerStreams: 16,
  blockedBytes: 262_144,
  unsentBytes: 65_536,
  stallMs: 30_000,
  firstRequestMs: 10_000,
  requestMs: 10_000,
  keepAliveMs: 60_000,
  keepAliveAnswerMs: 20_000,
  ageMs: 30 * 60_000,
  ageGraceMs: 60_000,
  strangerIdleMs: 60_000,
  lingerMs: 1_000,
  tickMs: 1_000,
};

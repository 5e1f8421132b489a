/** HPACK, header compression for HTTP/2: RFC 7541. */
export { type DecoderLimits, HpackDecoder } from "./decoder.ts";
export { HpackEncoder } from "./encoder.ts";
export { HpackError } from "./error.ts";
export type { HeaderList } from "./header_list.ts";

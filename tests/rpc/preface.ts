/** How a client of HTTP/2 begins: RFC 9113, section 3.4. */

/** With settings that ask for nothing. */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");

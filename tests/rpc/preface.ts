/** Connection preface of an HTTP/2 client: RFC 9113, section 3.4. */

/** With empty settings. */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");

/** Path validation. Refuses private keys and tokens, which users may paste instead of a path. */

/** Maximum path length of Linux. */
const MAX_LENGTH = 4_096;

export function isPath(text: string): boolean {
  return text !== "" && text.length <= MAX_LENGTH && !/[\r\n\0]/.test(text) && !isSecret(text);
}

/** Whether the text is the content of a PEM file. */
export function isPem(text: string): boolean {
  return /^\s*-----BEGIN [^]+-----END [A-Z ]+-----\s*$/.test(text);
}

/** Whether the text is PEM or a JSON Web Token, which no message may quote. */
export function isSecret(text: string): boolean {
  return /^\s*(-----BEGIN|eyJ)/.test(text);
}

/** What may name a file or a folder. Whoever mistakes it for the file's content gives a private key or a token. */

/** The longest path that Linux takes. */
const LONGEST = 4_096;

export function isPath(text: string): boolean {
  return text !== "" && text.length <= LONGEST && !/[\r\n\0]/.test(text) && !isSecret(text);
}

/** Whether it is what no message may repeat: PEM, or a JSON Web Token. */
export function isSecret(text: string): boolean {
  return /^\s*(-----BEGIN|eyJ)/.test(text);
}

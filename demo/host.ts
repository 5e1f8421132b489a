/** URL host at which this machine reaches a bound address. */
export function localHost(bind: string): string {
  if (bind === "0.0.0.0") return "127.0.0.1";
  if (/^[0:]+$/.test(bind)) return "[::1]";
  return bind.includes(":") ? `[${bind}]` : bind;
}

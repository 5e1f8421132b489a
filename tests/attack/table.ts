/** Formats results as a Markdown table, and checks them against the aims. */
import type { Latency, Result } from "./measure.ts";

const AIM_P99_MS = 100;
const AIM_RSS_MB = 64;
const AIM_LOG_LINES = 100;

/**
 * Missed aims of a result. The process must survive every attack. During an attack without a token, others' lookups must
 * stay within 100 ms of the bystander's at p99, every probe and every new connection from another address must succeed,
 * memory must grow by at most 64 MiB, and the service must log at most a hundred lines.
 */
export function missedAims({ lived, token, sameAddress, innocent, rss, logLines }: Result): string[] {
  if (!lived) return ["the process ended"];
  if (token) return [];
  const missed: string[] = [];
  for (const question of ["me", "rest", "groups"] as const) {
    const { p99 } = innocent[question];
    if (p99 > AIM_P99_MS + innocent.bystander.p99) missed.push(`${question} p99 ${Math.round(p99)} ms`);
  }
  const never = sameAddress ? ["healthz"] as const : ["healthz", "fresh me", "fresh groups"] as const;
  for (const question of never) {
    const { failed } = innocent[question];
    if (failed > 0) missed.push(`${failed} × ${question} failed`);
  }
  if (rss.peak - rss.before > AIM_RSS_MB) missed.push(`RSS +${Math.round(rss.peak - rss.before)} MB`);
  if (logLines > AIM_LOG_LINES) missed.push(`${logLines} log lines`);
  return missed;
}

const HEAD = [
  "attack",
  "token",
  "lived",
  "bystander p50/p99 ms",
  "me (failed)",
  "healthz",
  "REST",
  "groups",
  "fresh me",
  "fresh groups",
  "CPU s",
  "RSS before/peak/after MB",
  "log lines",
  "sent MB, connections",
  "aims missed",
];

export function header(): string {
  return [line(HEAD), line(HEAD.map(() => "---"))].join("\n");
}

export function row(result: Result): string {
  const { innocent, rss, attack } = result;
  return line([
    result.name,
    result.token ?? "",
    result.lived ? "yes" : "**no**",
    ...(["bystander", "me", "healthz", "rest", "groups", "fresh me", "fresh groups"] as const).map((
      question,
    ) => latency(innocent[question])),
    result.cpuSeconds.toFixed(1),
    [rss.before, rss.peak, rss.after].map(Math.round).join("/"),
    String(result.logLines),
    attack ? `${(attack.bytes / 1e6).toFixed(1)}, ${attack.connections}` : "",
    missedAims(result).join("; ") || "none",
  ]);
}

function latency({ p50, p99, asked, failed }: Latency): string {
  const ms = (value: number) => value === Infinity ? "∞" : value.toFixed(value < 10 ? 1 : 0);
  return `${ms(p50)}/${ms(p99)}${failed > 0 ? ` (${failed} of ${asked})` : ""}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

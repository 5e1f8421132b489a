/** Prometheus names of metrics, and the metrics that deploy/ uses. */
import { INSTRUMENTS } from "../../telemetry/metrics.ts";

const ROOT = new URL("../../", import.meta.url);

/** Deno's metrics that deploy/ uses. */
export const DENO_METRICS = {
  "http.server.active_requests": { kind: "sum", unit: "{request}" },
  "v8js.memory.heap.size": { kind: "gauge", unit: "By" },
};

const UNITS: Record<string, string> = { s: "_seconds", By: "_bytes" };

/** All Prometheus names of the exported metrics, by OpenTelemetry's translation rules. */
export function prometheusNames(): Set<string> {
  return new Set(
    Object.entries({ ...INSTRUMENTS, ...DENO_METRICS }).flatMap(([name, { kind, unit }]) => {
      const base = translated(name) + (UNITS[unit] ?? "");
      if (kind === "histogram") return ["_bucket", "_sum", "_count"].map((suffix) => base + suffix);
      return [kind === "counter" ? `${base}_total` : base];
    }),
  );
}

export function translated(name: string): string {
  return name.replaceAll(".", "_");
}

export interface Alert {
  name: string;
  expression: string;
  runbook: string;
}

/** The parts of deploy/alerts/rules.yaml that the tests need. */
export async function readAlerts(): Promise<Alert[]> {
  const text = await Deno.readTextFile(new URL("deploy/alerts/rules.yaml", ROOT));
  return text.split(/^ +- alert: /m).slice(1).map((rule) => ({
    name: rule.match(/^\w+/)?.[0] ?? "",
    expression: rule.match(/^ +expr: \|?([^]*?)^ +(?:for|labels): ?/m)?.[1]?.trim() ?? "",
    runbook: rule.match(/runbook_url: (\S+)/)?.[1] ?? "",
  }));
}

export interface Panel {
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}

export async function readDashboard(): Promise<{ panels: Panel[] }> {
  return JSON.parse(await Deno.readTextFile(new URL("deploy/grafana/dashboard.json", ROOT)));
}

const WORDS = [
  ...["sum", "max", "min", "rate", "absent", "vector", "histogram_quantile", "min_over_time"],
  ...["by", "or", "offset"],
];

/** Metrics of an expression, and the labels that it selects or groups by. */
export function parseExpression(expression: string): { metrics: string[]; labels: string[] } {
  const labels: string[] = [];
  const rest = expression
    .replaceAll(/\{([^}]*)\}/g, (_, selector: string) => {
      labels.push(...[...selector.matchAll(/(\w+)\s*(?:=~|!=|=|!~)/g)].map(([, label]) => label ?? ""));
      return "";
    })
    .replaceAll(/\bby \(([^)]*)\)/g, (_, list: string) => {
      labels.push(...list.split(",").map((label) => label.trim()));
      return "";
    })
    .replaceAll(/\[[^\]]*\]|\boffset \w+|"[^"]*"/g, "");
  const names = (rest.match(/[a-z_][a-z0-9_]*/gi) ?? []).filter((name) => !WORDS.includes(name));
  return { metrics: [...new Set(names)], labels: [...new Set(labels)] };
}

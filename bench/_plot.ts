/** Plots of benchmarks: SVG with horizontal bars, readable on light and dark pages. */
import type { Plot } from "./_report.ts";
import { formatNumber } from "./_statistics.ts";

/** Lengths in SVG units. */
const [WIDTH, LABELS, VALUES, ROW, BAR, HEAD, GROUP] = [760, 230, 150, 24, 14, 52, 30];

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .unit, .group { fill: #59636e; }
    .bar { fill: #8c959f; }
    .ours { fill: #1a7f64; }
    .range { stroke: #1f2328; stroke-width: 1.5; fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .unit, .group { fill: #9198a1; }
      .bar { fill: #6e7681; }
      .ours { fill: #3fb68b; }
      .range { stroke: #f0f6fc; }
    }`;

/** Draws the medians as bars from zero, with a line over the range of the rounds. */
export function drawPlot({ title, unit, better, groups }: Plot): string {
  const all = groups.flatMap(({ bars }) => bars);
  const longest = Math.max(...all.map(({ high }) => high)) || 1;
  const scale = (value: number) => Number((value / longest * (WIDTH - LABELS - VALUES)).toFixed(1));
  const lines: string[] = [];
  let y = HEAD;
  for (const { name, bars } of groups) {
    lines.push(`<text class="group" x="0" y="${y + 16}">${escape(name)}</text>`);
    y += GROUP;
    for (const { label, isOurs, median, low, high } of bars) {
      const [top, middle] = [y + (ROW - BAR) / 2, y + ROW / 2];
      const ends = `M${LABELS + scale(low)} ${middle - 3}v6m0-3H${LABELS + scale(high)}m0-3v6`;
      lines.push(
        `<text x="12" y="${middle + 4}">${escape(label)}</text>`,
        `<rect class="bar${isOurs ? " ours" : ""}" x="${LABELS}" y="${top}" width="${
          scale(median)
        }" height="${BAR}" rx="2"/>`,
        `<path class="range" d="${ends}"/>`,
        `<text x="${LABELS + scale(high) + 8}" y="${middle + 4}">${formatNumber(median)}</text>`,
      );
      y += ROW;
    }
    y += 8;
  }
  const described = all.map(({ label, median }) => `${label} ${formatNumber(median)}`).join(", ");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img">
  <title>${escape(title)}</title>
  <desc>${escape(`${unit}: ${described}`)}</desc>
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="18">${escape(title)}</text>
  <text class="unit" x="0" y="38">${
    escape(`${unit}, ${better} is better; median and range of the rounds`)
  }</text>
  ${lines.join("\n  ")}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

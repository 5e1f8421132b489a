/** Statistics, plots and documents of the benchmarks. */
import assert from "node:assert/strict";
import { BENCHMARKS } from "../../bench/_benchmarks.ts";
import { regionsOf, replaceRegion } from "../../bench/_document.ts";
import { drawPlot } from "../../bench/_plot.ts";
import { options, summarize, toMarkdown } from "../../bench/_report.ts";
import {
  formatNumber,
  formatRatio,
  formatRatios,
  quantile,
  ratioOf,
  spread,
} from "../../bench/_statistics.ts";
import { Timings } from "../../bench/_timings.ts";

const DOCUMENT = await Deno.readTextFile(new URL("../../docs/performance.md", import.meta.url));

Deno.test("ratios are those of single rounds, and are rounded against this service", () => {
  const ratio = ratioOf([300, 100, 260], [100, 100, 200]);
  assert.deepEqual(ratio, { median: 1.3, low: 1, high: 3 });
  assert.equal(formatRatio(1.299, "higher"), "1.29");
  assert.equal(formatRatio(1.291, "lower"), "1.30");
  assert.equal(formatRatio(1.15, "higher"), "1.15");
  assert.equal(formatRatio(1.15, "lower"), "1.15");
  assert.equal(formatRatios({ median: 2.399, low: 0.999, high: 3 }, "higher"), "2.39 (0.99–3.00)");
  assert.throws(() => spread([]), RangeError);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.deepEqual([1234.4, 56.78, 1.2345].map(formatNumber), ["1,234", "56.8", "1.23"]);
});

Deno.test("a call counts when it was due in the measured time, however late it is answered", () => {
  const timings = new Timings({ warmUp: 1, seconds: 2 });
  const { from, until } = timings;
  timings.add(from - 1, true, from + 5_000); // due in the warm-up
  timings.add(from, true, from + 10);
  timings.add(until - 1, true, until + 4_999); // the server had stalled
  timings.add(until - 1, false, until + 9_999);
  timings.add(until, true, until + 1);
  const rounded = Object.entries(timings.result()).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  assert.equal(rounded.join(), "callsPerSecond 0.500,calls 5.000,failed 1.000,p50 5000.000,p99 10000.000");
});

Deno.test("the results of a benchmark replace its region of the document, and nothing else", () => {
  const text =
    "before\n<!-- results of a -->\n\nold\n\n<!-- end of a -->\nafter <!-- results of b --> <!-- end of b -->";
  const replaced = replaceRegion(text, "a", "new");
  assert.equal(replaced, text.replace("old", "new"));
  assert.equal(replaceRegion(replaced, "a", "old"), text);
  assert.throws(() => replaceRegion(text, "c", "new"), /lacks the region "<!-- results of c -->/);
});

Deno.test("docs/performance.md has the results of every benchmark, in order, and every plot that it shows", async () => {
  assert.deepEqual(regionsOf(DOCUMENT), ["summary", ...BENCHMARKS.keys()]);
  for (const [, image = ""] of DOCUMENT.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
    const text = await Deno.readTextFile(new URL(`../../docs/${image}`, import.meta.url));
    assert.match(text, /^<svg [^>]*role="img"/);
  }
  for (const { load } of BENCHMARKS.values()) assert.equal(typeof await load(), "function");
});

Deno.test("a report becomes Markdown, and its comparisons a summary", () => {
  const plot = {
    name: "rate",
    title: "Calls & answers",
    unit: "calls/s",
    better: "higher" as const,
    groups: [{
      name: "closed loop",
      bars: [
        { label: "customer-service", isOurs: true, median: 200, low: 100, high: 400 },
        { label: "<other>", isOurs: false, median: 100, low: 100, high: 100 },
      ],
    }],
  };
  const markdown = toMarkdown({
    notes: ["A note."],
    tables: [{ title: "loads", head: ["", "calls/s"], rows: [["customer-service", "200"]] }],
    plots: [plot],
  });
  assert.equal(
    markdown,
    "A note.\n\nloads:\n\n|  | calls/s |\n| --- | ---: |\n| customer-service | 200 |\n\n" +
      "![Calls & answers](images/performance/rate.svg)",
  );
  const svg = drawPlot(plot);
  assert.match(svg, /<title>Calls &amp; answers<\/title>/);
  assert.match(svg, /<desc>calls\/s: customer-service 200, &lt;other&gt; 100<\/desc>/);
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  assert.equal(widths[0], widths[1]! * 2);
  assert.match(svg, /prefers-color-scheme: dark/);
  assert.ok(!/script|href|NaN|undefined/.test(svg));
  const ratio = { median: 0.999, low: 0.5, high: 2 };
  const summary = summarize([{ work: "me", alternative: "other", ratio, better: "higher" }]);
  assert.match(summary, /\| me \| other \| ≥ 1 \| 0\.99 \| 0\.50–2\.00 \|$/);
});

Deno.test("an unknown option of a benchmark is refused with those that it has", () => {
  assert.deepEqual(options(["--rounds=3"], { rounds: 5, seconds: 4 }), { rounds: 3, seconds: 4 });
  assert.throws(() => options(["--round=3"], { rounds: 5 }), /--round=3: expected --rounds=N/);
});

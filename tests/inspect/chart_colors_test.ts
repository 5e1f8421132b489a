/** The chart's colours, by the contrast that WCAG 2.2 AA asks for: 4.5 for words, 3 for lines. */
import assert from "node:assert/strict";

const css = await Deno.readTextFile(new URL("../../inspect/chart/chart.css", import.meta.url));
const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block = ""]) =>
  Object.fromEntries(
    [...block.matchAll(/--chart-([\w-]+): ([^;]+);/g)].map(([, name, value]) => [name, value]),
  )
);

type Color = [red: number, green: number, blue: number, alpha: number];

/** Groups lie in each other: machine, state, parallel state, region. */
const DEEPEST = 4;

for (const [mode, colors] of Object.entries({ light, dark })) {
  const color = (name: string) => parse(colors?.[name] ?? "");
  let ground = color("page");
  const grounds = [ground, color("box")];
  for (let depth = 0; depth < DEEPEST; depth++) grounds.push(ground = over(color("group"), ground));

  Deno.test(`in the ${mode}, words can be read wherever they stand`, () => {
    for (const words of ["ink", "quiet"]) {
      for (const below of [...grounds, color("path-tint")]) assertContrast(color(words), below, 4.5, words);
    }
    assertContrast(color("on-current"), color("current"), 4.5, "on-current");
    assertContrast(color("on-alarm"), color("alarm"), 4.5, "on-alarm");
  });

  Deno.test(`in the ${mode}, lines and boxes stand out from what they lie on`, () => {
    for (const line of ["path", "current", "alarm"]) {
      for (const below of grounds) assertContrast(color(line), below, 3, line);
    }
    for (const below of grounds) assertContrast(color("line"), below, 3, "line");
  });
}

Deno.test("the chart's stylesheet names colours in one place", () => {
  const rules = css.replaceAll(/:root \{[^}]*\}/g, "");
  assert.doesNotMatch(rules, /#[0-9a-f]{3,}|rgb\(/i);
  const used = new Set([...css.matchAll(/var\(--chart-([\w-]+)\)/g)].map(([, name]) => name!));
  assert.deepEqual([...used].filter((name) => !(name in light!)), []);
});

function assertContrast(one: Color, other: Color, least: number, name: string): void {
  const [lighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  const ratio = (lighter + 0.05) / (darker + 0.05);
  assert.ok(ratio >= least, `${name}: ${ratio.toFixed(2)} on ${other.slice(0, 3).map(Math.round)}`);
}

function parse(text: string): Color {
  const [, short] = /^#(\w{3})$/.exec(text) ?? [];
  const hex = short ? short.replaceAll(/./g, "$&$&") : /^#(\w{6})$/.exec(text)?.[1];
  if (hex) return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)).concat(1) as Color;
  const [red = NaN, green = NaN, blue = NaN, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, alpha];
}

function over([red, green, blue, alpha]: Color, below: Color): Color {
  const mix = (above: number, under: number) => above * alpha + under * (1 - alpha);
  return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1];
}

/** Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: Color): number {
  const [red, green, blue] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Color;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

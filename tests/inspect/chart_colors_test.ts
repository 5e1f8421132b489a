/** Contrast of the chart's colors. WCAG 2.2 AA requires 4.5 for text and 3 for lines. */
import assert from "node:assert/strict";

const css = await Deno.readTextFile(new URL("../../inspect/chart/chart.css", import.meta.url));
const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block = ""]) =>
  Object.fromEntries(
    [...block.matchAll(/--chart-([\w-]+): ([^;]+);/g)].map(([, name, value]) => [name, value]),
  )
);

type Color = [red: number, green: number, blue: number, alpha: number];

/** Maximum nesting of groups: machine, state, parallel state, region. */
const MAX_DEPTH = 4;

for (const [mode, colors] of Object.entries({ light, dark })) {
  const color = (name: string) => parse(colors?.[name] ?? "");
  let group = color("page");
  const backgrounds = [group, color("box")];
  for (let depth = 0; depth < MAX_DEPTH; depth++) backgrounds.push(group = blend(color("group"), group));

  Deno.test(`${mode} mode: text has enough contrast on every background`, () => {
    for (const text of ["ink", "quiet"]) {
      for (const background of [...backgrounds, color("path-tint")]) {
        assertContrast(color(text), background, 4.5, text);
      }
    }
    assertContrast(color("on-current"), color("current"), 4.5, "on-current");
    assertContrast(color("on-alarm"), color("alarm"), 4.5, "on-alarm");
  });

  Deno.test(`${mode} mode: lines and boxes have enough contrast on every background`, () => {
    for (const line of ["path", "current", "alarm"]) {
      for (const background of backgrounds) assertContrast(color(line), background, 3, line);
    }
    for (const background of backgrounds) assertContrast(color("line"), background, 3, "line");
  });
}

Deno.test("the chart's stylesheet defines its colors in :root only", () => {
  const rules = css.replaceAll(/:root \{[^}]*\}/g, "");
  assert.doesNotMatch(rules, /#[0-9a-f]{3,}|rgb\(/i);
  const used = new Set([...css.matchAll(/var\(--chart-([\w-]+)\)/g)].map(([, name]) => name!));
  assert.deepEqual([...used].filter((name) => !(name in light!)), []);
});

function assertContrast(foreground: Color, background: Color, minimum: number, name: string): void {
  const [lighter, darker] = [luminance(foreground), luminance(background)].sort((a, b) => b - a) as [
    number,
    number,
  ];
  const ratio = (lighter + 0.05) / (darker + 0.05);
  assert.ok(ratio >= minimum, `${name}: ${ratio.toFixed(2)} on ${background.slice(0, 3).map(Math.round)}`);
}

function parse(text: string): Color {
  const [, short] = /^#(\w{3})$/.exec(text) ?? [];
  const hex = short ? short.replaceAll(/./g, "$&$&") : /^#(\w{6})$/.exec(text)?.[1];
  if (hex) return [0, 2, 4].map((index) => parseInt(hex.slice(index, index + 2), 16)).concat(1) as Color;
  const [red = NaN, green = NaN, blue = NaN, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue, alpha];
}

function blend([red, green, blue, alpha]: Color, background: Color): Color {
  const mix = (front: number, back: number) => front * alpha + back * (1 - alpha);
  return [mix(red, background[0]), mix(green, background[1]), mix(blue, background[2]), 1];
}

/** Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance. */
function luminance(color: Color): number {
  const [red, green, blue] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Color;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

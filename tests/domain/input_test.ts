/** Text, phones, locales and countries: what is stored, and sentences that say why something is refused. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { country, optionalLocale, optionalPhone, optionalText, text } from "../../domain/input.ts";

const refusal = (schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value);
  assert.ok(error, JSON.stringify(value));
  return error.issues.map(({ message }) => message).join("; ");
};

/** One of each kind of character that is displayed as nothing. */
const INVISIBLE = [
  ..."\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2064",
  ..."\u2066\u2069\u206f\u2800\u3164\ufe00\ufe0f\uffa0\ufff0\u{1bca0}\u{1d159}\u{1d173}\u{e0001}\u{e0020}\u{e007f}",
  ..."\u{e0100}\u{e0fff}\u0301\u0308\u20dd\uffff\ufdd0",
];

Deno.test("text is in normalization form C, without spaces around it", () => {
  assert.equal(text(100).parse(" Mu\u0308ller\u3000"), "Müller");
  assert.equal(text(100).parse("\u212b"), "Å");
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (value) => {
    const { data } = text(100).safeParse(value);
    if (data !== undefined) assert.equal(data, value.trim().normalize("NFC"));
  }));
  assert.equal(text(1).parse("u\u0308"), "ü", "the length is counted after normalization");
  assert.match(refusal(text(2), "\u0958\u0958"), /at most 2/); // has no composed form
});

Deno.test("text that shows nothing is refused, in every combination", () => {
  for (const character of INVISIBLE) {
    assert.match(refusal(text(100), `${character} ${character}`), /visible character/, escape(character));
    assert.match(refusal(optionalText(100), character), /visible character/, escape(character));
  }
  fc.assert(fc.property(
    fc.string({ unit: fc.constantFrom(...INVISIBLE, " ", "\u00a0"), minLength: 1 }),
    (value) => assert.equal(text(1_000).safeParse(value).success, false, escape(value)),
  ));
  // Joiners and marks are part of words and emoji.
  for (
    const name of [
      "می\u200cخواهم",
      "क्\u200dष",
      "👨‍👩‍👧",
      "❤️",
      "O’Brien",
      "山田　太郎",
      "İnan",
      "\ue000",
      "-",
      "ﷺ",
    ]
  ) {
    assert.equal(text(100).parse(name), name.normalize("NFC"));
  }
});

Deno.test("an optional field that is blank has no value, and an absent one stays absent", () => {
  const schema = z.strictObject({
    name: optionalText(10),
    phone: optionalPhone,
    locale: optionalLocale,
  });
  assert.deepEqual(schema.parse({}), {});
  for (const blank of ["", "   ", "\u00a0\t", null]) {
    const parsed = schema.parse({ name: blank, phone: blank, locale: blank });
    assert.deepEqual(parsed, { name: null, phone: null, locale: null });
  }
  assert.match(refusal(text(10), ""), /^must not be empty$/);
});

Deno.test("a phone number is E.164, and each other spelling is refused with what is wrong with it", () => {
  for (const phone of ["+41445551234", " +1234567 ", "+123456789012345"]) {
    assert.equal(optionalPhone.parse(phone), phone.trim());
  }
  const cases: [reason: RegExp, values: string[]][] = [
    [/without spaces/, [
      "+41 44 555 12 34",
      "+41 (0)44 555 12 34",
      "+41-44-5551234",
      "0041 44 555 12 34",
      "+1.202.555.0123",
    ]],
    [/\+ instead of 00/, ["0041445551234"]],
    [/no country code starts with 0/, ["+0445551234"]],
    [/7 to 15 digits/, ["+412345678901234567", "+41"]],
    [/a \+ and the country code first/, ["0445551234", "044 555 12 34", "41445551234", "(202) 555-0123"]],
    [/E\.164/, [
      "none",
      "4.14456E+10",
      "+41445551234 ext. 5",
      "tel:+41445551234",
      "+٤١٤٤٥٥٥١٢٣٤",
      "+",
      "+4144555123a",
    ]],
  ];
  for (const [reason, values] of cases) {
    for (const value of values) {
      const message = refusal(optionalPhone, value);
      assert.match(message, reason, value);
      assert.match(message, /E\.164 form, \+41445551234/);
    }
  }
});

Deno.test("a locale is a language tag with a language, and others are refused with what is supported", () => {
  const cases: [string, string][] = [
    ["de-ch", "de-CH"],
    ["DE", "de"],
    ["zh-hans-cn", "zh-Hans-CN"],
    ["iw", "he"],
    [
      "sr-Latn-RS",
      "sr-Latn-RS",
    ],
    ["de-x-formal", "de-x-formal"],
    ["fil", "fil"],
  ];
  for (const [written, canonical] of cases) assert.equal(optionalLocale.parse(written), canonical);
  const refused: [reason: RegExp, tags: string[]][] = [
    [/such as de-CH; private-use .* not supported$/, [
      "i-klingon",
      "x-klingon",
      "X-de",
      "zh-cmn-Hans-CN",
      "en-GB-oed",
    ]],
    [/such as de-CH; private-use .* not supported$/, ["POSIX", "german", "root"]],
    [/35 characters, with hyphens as in de-CH$/, ["de_CH", "en_US.UTF-8"]],
    [/BCP 47 language tag of at most 35 characters$/, ["!", "-", "de-", "Deutsch (Schweiz)"]],
  ];
  for (const [reason, tags] of refused) {
    for (const tag of tags) assert.match(refusal(optionalLocale, tag), reason, tag);
  }
  assert.match(refusal(optionalLocale, `de-${"x".repeat(33)}`), /at most 35/);
});

Deno.test("a country is one of ISO 3166-1, or Kosovo", () => {
  for (const code of ["CH", "XK", "TW", "PS", "GG", "CW"]) assert.equal(country.parse(code), code);
  for (const code of ["", "xk", "UK", "EL", "XX", "EU", "ZZ", "CHE", "AN"]) {
    assert.match(refusal(country, code), /ISO 3166-1, or XK for Kosovo/);
  }
});

function escape(text: string): string {
  return [...text].map((character) => character.codePointAt(0)!.toString(16)).join(" ");
}

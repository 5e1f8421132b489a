/** Free text: recognized email addresses, phone numbers and values of a person, and texts that contain none. */
import assert from "node:assert/strict";
import { assertLinear } from "../growth.ts";
import { findPersonalData, freeText, type PersonalValue } from "../../domain/free_text.ts";

const PERSON: PersonalValue[] = [
  { column: "email", value: "hrumblewort.Fimble@plixmail2.example" },
  { column: "first_name", value: "Fimblethorn" },
  { column: "last_name", value: "Kvetchmann" },
  { column: "phone", value: "+442079460333" },
  { column: "locale", value: "en" },
  { column: "line1", value: "Snorbelweg 17" },
  { column: "city", value: "Übelstädt" },
  { column: "postal_code", value: "QXZ-90417" },
  { column: "country", value: "CH" },
];

Deno.test("email addresses are recognized in every spelling", () => {
  const spellings = [
    "asked by grace@example.com",
    "grace@localhost",
    "GRACE@EXAMPLE.COM",
    "ｇｒａｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "grace\u200b@\u200bexample.com",
    "gra\u00adce@exam\u2060ple.com",
    "grace @ example.com",
    "grace  @ example . com",
    "grace (at) example (dot) com",
    "grace[at]example.com",
    "grace at example dot com",
    "grace%40example.com",
    "grace&#64;example.com",
    "mailto:grace@example.com?subject=x",
    "o&leary@münchen.example",
    "@grace on the forum",
  ];
  for (const text of spellings) assert.match(findPersonalData(text, []) ?? "", /^an email/, text);
});

Deno.test("phone numbers are recognized in every spelling", () => {
  const spellings = [
    "+44 20 7946 0333",
    "+442079460333",
    "0044 20 7946 0333",
    "020 7946 0333",
    "02079460333",
    "(020) 7946-0333",
    "442079460333",
    "called 044/555.12.34 twice",
    "044.555.12.34",
    "415-555-2671",
    "(415) 555-2671",
    "4155552671",
    "+41 (0)44 555 12 34",
    "+41\u00a044\u00a0555\u00a012\u00a034",
    "+41\u201144\u2011555\u201112\u201134",
    "０２０　７９４６　０３３３",
    "\u0660\u0662\u0660 \u0667\u0669\u0664\u0666 \u0660\u0663\u0663\u0663",
    "order A-1 by 020 7946 0333",
    "on 2026-11-29 by 020 7946 0333",
  ];
  for (const text of spellings) assert.match(findPersonalData(text, []) ?? "", /^a phone/, text);
});

Deno.test("values of the person are recognized, also as parts, with endings and with separators", () => {
  const spellings = [
    "Fimblethorn",
    "KVETCHMANN has seen it",
    "Kvetchmanns Bestellung",
    "Kvetchmann's order",
    "Kvetch mann on the phone",
    "K.v.e.t.c.h.m.a.n.n",
    "Kve\u200btchmann",
    "Ｋｖｅｔｃｈｍａｎｎ",
    "kvétchmann",
    "login hrumblewort",
    "fimble wrote",
    "a mailbox of plixmail2.example",
    "number ends with 946-0333",
    "lives in Snorbelweg",
    "Snorbelweg17",
    "from Uebelstaedt",
    "from Ubelstadt",
    "ÜBELSTÄDT",
    "QXZ 90417",
    "qxz90417",
  ];
  for (const text of spellings) {
    const contents = findPersonalData(text, PERSON);
    assert.match(contents ?? "", text.includes("0333") ? /^a phone/ : /^a name/, text);
    for (const { value } of PERSON.filter(({ value }) => value.length > 2)) {
      assert.ok(!contents?.includes(value), "the message does not repeat it");
    }
  }
  assert.ok(findPersonalData("Mr Li", [{ column: "last_name", value: "Li" }]));
  assert.ok(findPersonalData("李明先生打来电话", [{ column: "first_name", value: "李明" }]));
  assert.ok(findPersonalData("Müller", [{ column: "last_name", value: "Mueller" }]));
  assert.ok(findPersonalData("ΠΑΠΑΔΟΠΟΥΛΟΣ", [{ column: "last_name", value: "Παπαδόπουλος" }]));
});

Deno.test("texts without personal data are accepted", () => {
  const texts = [
    "",
    "2 orders anonymized on 2026-11-29 10:00:00, 14 rows kept until 31.12.2036",
    "2026-11-29T10:00:00.000Z batch 41",
    "request 0192f0a1-7b3c-7def-8a12-1234567890ab",
    "invoice INV-2026000123, ticket #2026000123, case A2026000123",
    "order 10045678",
    "1 250 000 rows in 3 tables, 12.500.000 bytes",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "2 items @ 5 EUR",
    "required by § 147 AO, 10 years",
    "the adaptation of many systems in the English version",
    "a remark about the fimbles",
  ];
  for (const text of texts) {
    const others = PERSON.filter(({ column }) => column !== "email");
    assert.equal(findPersonalData(text, others), undefined, text);
  }
  const [mark, ada] = [{ column: "first_name", value: "Mark" }, { column: "first_name", value: "Ada" }];
  assert.equal(findPersonalData("a remark about marketing and the adaptation", [mark, ada]), undefined);
});

Deno.test("the schema of free text names what it refuses and not the text", () => {
  const result = freeText(500).safeParse("write to grace@example.com");
  assert.deepEqual(result.error?.issues.map(({ message }) => message), [
    "must not contain an email address or a name with an @",
  ]);
  assert.equal(freeText(500).parse(" 2 rows "), "2 rows");
});

for (
  const unit of [
    "0 (1) a+1-2.3/4",
    "0",
    "a ",
    "a at ",
    "(at",
    "( ",
    "-",
    "1 ",
    "a-",
    " ",
    "aa",
    "a1",
    "&#00",
    "+",
    "#",
  ]
) {
  Deno.test(`a long text of ${JSON.stringify(unit)} is checked in linear time`, async () => {
    await assertLinear(unit, 4_000, (size) => {
      const text = unit.repeat(size / unit.length);
      return () => findPersonalData(text, PERSON);
    });
  });
}

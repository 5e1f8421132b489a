/** Email addresses that exist are accepted, those that cannot exist are refused, and each has one normalized form. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { comparableEmail, email, emailPrefix } from "../../domain/email.ts";

const accepted = (value: string) => {
  const { data, error } = email.safeParse(value);
  assert.equal(error, undefined, `${value}: ${error?.issues[0]?.message}`);
  return data!;
};

const refusal = (value: unknown) => {
  const { error } = email.safeParse(value);
  assert.ok(error, String(value));
  return error.issues.map(({ message }) => message).join("; ");
};

const ATEXT = "a-zA-Z0-9!#$%&'*+/=?^_`{|}~-";
const label = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9-]{0,10}[a-zA-Z0-9])?$/);
const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));

Deno.test("an address that a browser's email field accepts and that has a dot is accepted", () => {
  const local = fc.stringMatching(new RegExp(`^[.${ATEXT}]{1,64}$`));
  fc.assert(fc.property(local, domain, (local, domain) => {
    const address = `${local}@${domain}`;
    assert.match(address, z.regexes.html5Email);
    assert.equal(accepted(address), address);
  }));
});

Deno.test("every dot-atom of RFC 5322 before a domain name is accepted", () => {
  const local = fc.stringMatching(new RegExp(`^[${ATEXT}]{1,12}(\\.[${ATEXT}]{1,12}){0,3}$`));
  fc.assert(fc.property(local, domain, (local, domain) => {
    assert.equal(comparableEmail(accepted(`${local}@${domain}`)), `${local}@${domain}`.toLowerCase());
  }));
});

Deno.test("what is accepted is ASCII within the limits, and stays as it is when it is sent again", () => {
  const letters = fc.string({
    unit: fc.constantFrom(..."aZ0.-@ü中ßИ。１ﬁ\u0308\u00ad\u200d%_[]\"()<>'&xn"),
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.oneof(letters, fc.string()), letters, (local, domain) => {
      const { data } = email.safeParse(`${local}@${domain}`);
      if (data === undefined) return;
      assert.match(data, /^[\x21-\x7e]{1,64}@[a-zA-Z0-9.-]{3,253}$/);
      assert.match(data, z.regexes.html5Email);
      assert.ok(data.length <= 254);
      assert.equal(accepted(data), data);
    }),
    { numRuns: 500 },
  );
});

Deno.test("addresses of customers that strict checks have refused are accepted", () => {
  for (
    const address of [
      "o&leary@example.com",
      "$A12345@example.com",
      "!def!xyz%abc@example.com",
      "a#b@example.com",
      "customer/department=shipping@example.com",
      "prvs=1234=user@example.com",
      "u~v@example.com",
      "o'brien+shop@example.co.uk",
      "_______@example.com",
      "1234567890@example.com",
      "a..b@docomo.ne.jp",
      "ab.@example.com",
      "user@xn--fiqs8s.xn--fiqs8s",
      "info@xn--80ak6aa92e.xn--p1ai",
      "a@b.museum",
      "a@1and1.com",
      "a@sub.a-b--c.example",
      `${"a".repeat(64)}@example.com`,
      `a@${"b".repeat(63)}.com`,
      `a@${`${"b".repeat(61)}.`.repeat(4)}com`,
    ]
  ) assert.equal(accepted(address), address);
});

Deno.test("a Unicode domain becomes ASCII, as browsers convert it; everything else stays as written", () => {
  const cases: [string, string][] = [
    ["Grace.Hopper@EXAMPLE.Com", "Grace.Hopper@EXAMPLE.Com"],
    ["info@münchen.example", "info@xn--mnchen-3ya.example"],
    ["info@mu\u0308nchen.example", "info@xn--mnchen-3ya.example"],
    ["info@MÜNCHEN.example", "info@xn--mnchen-3ya.example"],
    ["info@XN--MNCHEN-3YA.example", "info@XN--MNCHEN-3YA.example"],
    ["info@faß.de", "info@xn--fa-hia.de"],
    ["info@例え。テスト", "info@xn--r8jz45g.xn--zckzah"],
    ["info@почта.рф", "info@xn--80a1acny.xn--p1ai"],
    ["info@παράδειγμα.δοκιμή", "info@xn--hxajbheg2az3al.xn--jxalpdlp"],
    ["info@مثال.إختبار", "info@xn--mgbh0fb.xn--kgbechtv"],
    ["info@ｅｘａｍｐｌｅ.com", "info@example.com"],
    ["  ada@example.com  ", "ada@example.com"],
  ];
  for (const [written, normalized] of cases) assert.equal(accepted(written), normalized);
  for (const [written] of cases) {
    assert.equal(comparableEmail(written.trim()), accepted(written).toLowerCase());
  }
});

Deno.test("addresses that cannot exist or are not supported are refused, each with its reason", () => {
  const cases: [reason: RegExp, values: string[]][] = [
    [/^must not be empty$/, ["", "  "]],
    [/^must be an email address$/, [
      "grace",
      "@example.com",
      "a b@example.com",
      "a@b@example.com",
      "a,b@example.com",
    ]],
    [/^must be an email address$/, [
      "mailto:a@example.com",
      "a\\b@example.com",
      "a;b@example.com",
      "a:b@example.com",
    ]],
    [/address alone/, ["Ada <ada@example.com>", "<ada@example.com>", "<script>@example.com"]],
    [/quoted part or a comment/, [
      '"a b"@example.com',
      '"a"@example.com',
      "a(work)@example.com",
      "a@(x)example.com",
    ]],
    [/address in brackets/, ["a@[127.0.0.1]", "a@[IPv6:::1]"]],
    [/only ASCII .* before the @/, [
      "jörg@example.com",
      "山田@example.com",
      "аda@example.com",
      "\u200bada@example.com",
    ]],
    [/64 characters before/, [`${"a".repeat(65)}@example.com`]],
    [/domain with a dot/, ["a@b", "a@localhost", "a@"]],
    [/between its dots/, [
      "a@x-.com",
      "a@-x.com",
      "a@b-.example.com",
      "a@.com",
      "a@example.com.",
      "a@ex..com",
    ]],
    [/between its dots/, [
      `a@${"b".repeat(64)}.com`,
      "a@exa_mple.com",
      "a@exa mple.com",
      "a@example.com/x",
      "a@e%41.com",
    ]],
    [/between its dots/, ["a@ü-.de", "a@-ü.de", "a@ü..de", "a@ü_x.de"]],
    [/international domain/, [
      "a@xn--a.ü",
      "a@ü%41.de",
      "a@ü:80.de",
      "a@ü.de/x",
      "a@0x7f.１",
      "a@ü\\.de",
      "a@٠.ü",
    ]],
    [/ASCII$/, [
      `${"a".repeat(60)}@${"ü".repeat(30)}.${"ü".repeat(40)}.${`${"é".repeat(30)}.`.repeat(3)}com`,
    ]],
    [/at most 254/, [`${"a".repeat(64)}@${`${"b".repeat(60)}.`.repeat(4)}com`, "x".repeat(10_000)]],
    [/control characters/, ["a@example.com\u0000", "a\n@example.com", "a@exa\tmple.com"]],
  ];
  for (const [reason, values] of cases) {
    for (const value of values) {
      const message = refusal(value);
      assert.match(message, reason, JSON.stringify(value));
      assert.ok(value.length < 30 || !message.includes(value), "the message does not repeat the value");
    }
  }
  for (const value of [undefined, null, 7, {}, ["a@example.com"]]) refusal(value);
});

Deno.test("a prefix is normalized text that can begin an address", () => {
  for (const prefix of ["grace", "GRA", "ada_", "%", "o&l", "a@", "a@exam", "a@xn--"]) {
    assert.equal(emailPrefix.parse(prefix), prefix);
  }
  for (const prefix of ["", "plus x", "a@b@c", "jö", "info@mü"]) {
    assert.equal(emailPrefix.safeParse(prefix).success, false, prefix);
  }
});

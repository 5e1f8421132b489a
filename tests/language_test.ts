/** Word list check: prose of comments, strings and documents uses the words of the field. */
import assert from "node:assert/strict";

const ROOT = new URL("../", import.meta.url);

/** Not ours, generated, released and never edited, or in another language. */
const OUTSIDE =
  /(^|\/)(\.|node_modules\/|vendor\/|db\/migrations\/|proto\/gen\/|grpc\/gen\/|actors\/gdpr\/texts\/(de|fr|it)\.ts$)/;

/** Refused words, and words to write instead of each. */
const REFUSED: readonly [word: RegExp, instead: string][] = [
  [/\b(?:told|tells?|telling)\b/i, "send, report, log, return, name"],
  [
    /\b(?:nobody|somebody|anybody)\b/i,
    "name the actor: caller, client, worker, customer; or nothing, someone, anyone",
  ],
  [/\b(?:whoever|whomever)\b/i, "name the actor: caller, client, worker, customer"],
  [/\bbeside\b/i, "in addition to, next to"],
  [/(?<!\bthere )\b(?:is|are) none\b/i, "does not exist, is missing"],
  [/\baffairs?\b/i, "responsibility, or name what it is"],
  [/\bmanieth\b/i, "index, number"],
  [/\bgoes on\b/i, "continues, keeps running"],
  [/\b(?:stands?|stood) in\b/i, "is in"],
  [/\bcomes? to\b/i, "name what happens"],
  [/\bcomes? of it\b/i, "result"],
  [/\bbe had\b/i, "is available"],
  [/\blearns? of\b/i, "receives, reads"],
  [/\bin (?:the|its|their) place\b/i, "instead"],
  [/\ba while\b/i, "give the duration"],
  [
    /\bbehind\b(?! (?:an?|the|its|your) (?:[\w-]+ )?(?:proxy|proxies|gateway|balancer|ingress|router|mesh)\b)/i,
    "after",
  ],
  [/\b(?:anonymis|initialis|organis|recognis|summaris)\w+/i, "the American spelling, with a z"],
  [/\b(?:behaviour|colour|honour|favour|licence|centre)\w*/i, "the American spelling"],
  // Not in upper case: a code of gRPC, and an outcome of requests.
  [/\b[Cc]ancell(?:ed|ing)\b/, "canceled, canceling"],
  [/\bown (?:hand|will|record)\b/i, "itself, voluntarily, its record"],
  [/\bfor the time being\b/i, "until a given event"],
  [/\bkeeps? the (?:own )?record\b/i, "stores, updates, corrects"],
  [/\bbarred\b/i, "blocked, suspended"],
  [/\b(?:that|which) is no\b(?! longer\b)/i, "is not a"],
  [/\banother (?:[\w-]+ ){1,2}than\b/i, "different from, differs, other than"],
  [/\b(?:is|are) over (?:the|its|their|a|N|\d+)\b/i, "exceeds"],
  [/\bthe gate\b/i, "`deno task ok`"],
  [/\/\*\* (?:Its?|They|Those|None)\b/, "name what the pronoun stands for"],
];

const REFUSED_SPACED = REFUSED.map(([word, instead]) => [spaced(word), instead] as const);

/** Exact sentences that are right as they are, each with its reason. */
const ALLOWED: readonly { path: string; text: string; reason: string }[] = [
  {
    path: "db/gdpr_search.ts",
    text: "not e.params ? 'service') as",
    reason: "the name of an exported field",
  },
  {
    path: "tests/grpc/interop/node/server.mjs",
    text: ['"cancel', 'led"'].join(""),
    reason: "the name of an event of grpc-js",
  },
];

interface Finding {
  path: string;
  line: number;
  word: string;
  instead: string;
  text: string;
}

Deno.test("prose of the repository uses plain English", async () => {
  const findings: Finding[] = [];
  const used = new Set<unknown>();
  for await (const path of files()) {
    for (const finding of refusedWords(path, await Deno.readTextFile(new URL(path, ROOT)))) {
      const exception = ALLOWED.find((allowed) =>
        allowed.path === path && finding.text.includes(allowed.text)
      );
      if (exception) used.add(exception);
      else findings.push(finding);
    }
  }
  const lines = findings.map(({ path, line, word, instead }) => `${path}:${line}: "${word}": ${instead}`);
  assert.deepEqual(lines, [], `${lines.length} refused words`);
  assert.deepEqual(ALLOWED.filter((exception) => !used.has(exception)), [], "exceptions without a use");
});

Deno.test("the check reads comments, strings, templates, JSX text and documents, and no code", () => {
  const word = ["to", "ld"].join("");
  const find = (path: string, text: string) =>
    refusedWords(path, text).map(({ line, word }) => `${line} ${word}`);
  assert.deepEqual(find("a.ts", `let ${word} = 1;\n// is ${word}\n`), [`2 ${word}`]);
  assert.deepEqual(find("a.ts", `/**\n * Is\n * ${word}.\n */\nexport {};`), [`3 ${word}`]);
  assert.deepEqual(find("a.ts", `f("${word}");\ng(\`\${${word}}\n\n${word}\`);`), [`1 ${word}`, `4 ${word}`]);
  assert.deepEqual(find("a.ts", `const s = "is"; const r = /${word}/; o.${word}();`), []);
  assert.deepEqual(find("a.tsx", `const a = <p>{${word}}\n is ${word}</p>;`), [`2 ${word}`]);
  assert.deepEqual(find("a.sql", `select ${word}\n-- ${word}\n, '${word}'`), [`2 ${word}`, `3 ${word}`]);
  assert.deepEqual(find("a.css", `.${word} {}\n/*\n${word} */`), [`3 ${word}`]);
  assert.deepEqual(find("a.yaml", `a: 1 # ${word}`), [`1 ${word}`]);
  assert.deepEqual(find("a.md", `It is \`${word}\`.\n\n\`\`\`sh\n${word}\n\`\`\`\n\nIs ${word}.\n`), [
    `7 ${word}`,
  ]);
  assert.deepEqual(find("a.md", `Was ${word}.\n`), [`1 ${word}`]);
  const phrase = ["goes", "on"];
  assert.deepEqual(find("a.md", `It ${phrase.join("\n")}.`), [`1 ${phrase.join(" ")}`]);
  assert.deepEqual(find("a.md", "Deployed behind a reverse proxy."), []);
  const [upper, lower] = [["CANCEL", "LED"].join(""), ["cancel", "led"].join("")];
  assert.deepEqual(find("a.md", `Ends as ${upper}.\nWas ${lower}.\n`), [`2 ${lower}`]);
  const start = ["I", "t"].join("");
  assert.deepEqual(find("a.ts", `/**\n * ${start} is sent. */\n// ${start} is read.\n`), [`1 /** ${start}`]);
});

/** Refused words of a file, in the order of their lines. */
function refusedWords(path: string, text: string): Finding[] {
  const findings = proseOf(path, text).flatMap(({ start, prose: original }) => {
    const prose = flattened(original);
    return REFUSED_SPACED.flatMap(([word, instead]) =>
      [...prose.matchAll(word)].map(({ 0: found, index }) => ({
        path,
        line: text.slice(0, start + index).split("\n").length,
        word: found.replace(/\s+/g, " "),
        instead,
        text: prose,
      }))
    );
  });
  return findings.sort((a, b) => a.line - b.line);
}

/** Blanks line breaks and the marks of comment lines, so that a phrase may span two lines. No character moves. */
function flattened(prose: string): string {
  return prose.replace(/\n\s*(?:\*|\/\/|--|#)?/g, (found) => " ".repeat(found.length));
}

/** Lets each space of a pattern match any white space. */
function spaced({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replaceAll(" ", "\\s+"), `g${flags}`);
}

interface Prose {
  /** Offset in the file. */
  start: number;
  prose: string;
}

function proseOf(path: string, text: string): Prose[] {
  if (/\.(?:tsx?|m?js)$/.test(path)) return proseOfCode(path, text);
  if (path.endsWith(".sql")) return matchesOf(text, /--.*|\/\*[^]*?\*\/|'(?:[^']|'')*'/g);
  if (path.endsWith(".css")) return matchesOf(text, /\/\*[^]*?\*\/|"[^"\n]*"/g);
  if (path.endsWith(".md")) return [{ start: 0, prose: withoutCode(text) }];
  return [{ start: 0, prose: text }];
}

function matchesOf(text: string, pattern: RegExp): Prose[] {
  return [...text.matchAll(pattern)].map(({ 0: prose, index: start }) => ({ start, prose }));
}

/** Blanks code of a Markdown document and keeps its lines. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^( *)```[^]*?^\1```|`[^`]+`/gm, (code) => code.replace(/[^\n]/g, " "));
}

function proseOfCode(path: string, text: string): Prose[] {
  const ranges: [start: number, end: number][] = [];
  const add = ({ range }: { range: [number, number] }) => void ranges.push(range);
  const create = ({ sourceCode }: Deno.lint.RuleContext): Deno.lint.LintVisitor => {
    sourceCode.getAllComments().forEach(add);
    return {
      Literal(node) {
        if (typeof node.value === "string") add(node);
      },
      TemplateElement: add,
      JSXText: add,
    };
  };
  Deno.lint.runPlugin({ name: "language", rules: { collect: { create } } }, path, text);
  return ranges.map(([start, end]) => ({ start, prose: text.slice(start, end) }));
}

async function* files(folder = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder || "./", ROOT))) {
    const path = `${folder}${entry.name}${entry.isDirectory ? "/" : ""}`;
    if (OUTSIDE.test(path)) continue;
    if (entry.isDirectory) yield* files(path);
    else if (/\.(?:tsx?|m?js|sql|css|ya?ml|md)$/.test(path)) yield path;
  }
}

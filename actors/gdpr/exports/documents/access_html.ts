/** HTML document of an access request: one self-contained page without scripts or external resources. */
import type { CollectedRecord } from "../../types.ts";
import { type Contents, count, type ParticipantSection, summaryOf, type Text } from "./contents.ts";
import { definitions, escape, time, value } from "./html.ts";
import { FURTHER_RIGHTS, INTRODUCTION, ORIGIN, TITLE } from "./access_texts.ts";
import { sha256 } from "../../../../lib/hash.ts";

export async function* accessHtml(contents: Contents): Text {
  const style = await Deno.readTextFile(new URL("./access_style.css", import.meta.url));
  yield head(style) + about(contents) + tableOfContents(contents.sections) + "<main>\n";
  for (const [index, section] of contents.sections.entries()) {
    yield sectionHead(section, index);
    for await (const batch of section.read()) yield batch.map(article).join("");
    yield "</section>\n";
  }
  yield rights() + "</main>\n</body>\n</html>\n";
}

function head(style: string): string {
  const hash = sha256(style).toBase64();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${hash}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${TITLE}</title>
<style>${style}</style>
</head>
<body>
`;
}

function about({ request, description, compiledAt }: Contents): string {
  const facts = definitions([
    ["Answered by", "customer-service, for the store"],
    ["Store", escape(request.storeId)],
    ["Your customer number", escape(description.customerId)],
    ["Request", escape(request.requestId)],
    ["Requested", time(description.createdAt)],
    ["Compiled", time(compiledAt)],
    ["Origin of the data", ORIGIN],
  ]);
  return `<header>\n<h1>${TITLE}</h1>\n<p>${INTRODUCTION}</p>\n${facts}\n</header>\n`;
}

function tableOfContents(sections: readonly ParticipantSection[]): string {
  const items = sections.map((section, index) => {
    const name = escape(section.service);
    const note = section.complete ? count(section.records) : "incomplete";
    return `<li><a href="#source-${index + 1}">${name}</a> <span class="quiet">${note}</span></li>\n`;
  });
  return `<nav aria-labelledby="contents">\n<h2 id="contents">Contents</h2>\n<ol>\n${items.join("")}` +
    `<li><a href="#rights">Your rights</a></li>\n</ol>\n</nav>\n`;
}

function sectionHead(section: ParticipantSection, index: number): string {
  const id = `source-${index + 1}`;
  const title = `<h2 id="${id}-title" dir="auto">${escape(section.service)}</h2>`;
  return `<section id="${id}" aria-labelledby="${id}-title">\n${title}\n<p>${
    escape(summaryOf(section))
  }</p>\n` +
    processing(section);
}

function processing({ processing, furtherProcessing }: ParticipantSection): string {
  if (processing.length === 0) return "";
  const names = ["Category", "Purpose", "Retention", "Recipients", "Records"];
  const rows = processing.map(({ category, purpose, retention, recipients, records }) => {
    const cells = [category, purpose, retention, recipients.join(", ") || "none", String(records)];
    return `<tr>${
      cells.map((cell, index) => `<td data-label="${names[index]}" dir="auto">${escape(cell)}</td>`).join("")
    }</tr>\n`;
  });
  const further = furtherProcessing
    ? "<p>Records with further purposes follow; each record below names its own.</p>\n"
    : "";
  const heads = names.map((name) => `<th scope="col">${name}</th>`).join("");
  return `<table>\n<caption>Data and purposes</caption>\n<thead><tr>${heads}</tr></thead>\n` +
    `<tbody>\n${rows.join("")}</tbody>\n</table>\n${further}`;
}

function article({ category, recordedAt, purpose, retention, recipients, data }: CollectedRecord): string {
  const at = recordedAt === undefined ? "" : ` <span class="quiet">${escape(recordedAt)}</span>`;
  const details = [
    `Purpose: ${purpose}`,
    `retention: ${retention}`,
    `recipients: ${recipients.join(", ") || "none"}`,
  ].map(escape).join("; ");
  return `<article>\n<h3 dir="auto">${escape(category)}${at}</h3>\n${value(data)}\n` +
    `<p class="quiet" dir="auto">${details}</p>\n</article>\n`;
}

function rights(): string {
  const items = definitions(FURTHER_RIGHTS.map(({ name, text }) => [name, text]));
  return `<section id="rights" aria-labelledby="rights-title">\n` +
    `<h2 id="rights-title">Your rights</h2>\n${items}\n</section>\n`;
}

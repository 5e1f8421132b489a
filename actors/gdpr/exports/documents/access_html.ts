/** HTML document of an access request: one self-contained page without scripts or external resources. */
import { counted } from "../../texts/texts.ts";
import { responsibleFacts } from "../../texts/responsible.ts";
import { transfersOf } from "../../texts/transfers.ts";
import { rightsOf } from "./access_texts.ts";
import { type Contents, type ParticipantSection, summaryOf, type Text } from "./contents.ts";
import { definitions, escape, time, value } from "./html.ts";
import { framePage } from "./page.ts";
import { type Presentation, type PresentedRecord, readableFields } from "./presentation.ts";

export async function* accessHtml(contents: Contents): Text {
  const { presentation, sections } = contents;
  const { language, access: { title } } = presentation.texts;
  const { head } = await framePage(language, title);
  const statements = statementsOf(presentation);
  yield head + about(contents) +
    tableOfContents(sections, presentation, statements.length > 0) + "<main>\n";
  for (const [index, section] of sections.entries()) {
    yield sectionHead(section, index, presentation);
    for await (const batch of section.read()) {
      yield batch.map((record) => article(record, section, presentation)).join("");
    }
    yield "</section>\n";
  }
  const { access } = presentation.texts;
  if (statements.length > 0) yield definitionSection("statements", access.statements, statements);
  const rights = rightsOf(presentation).map(({ name, text }) => [name, escape(text)] as const);
  yield definitionSection("rights", access.rights, rights) + "</main>\n</body>\n</html>\n";
}

function about({ request, description, compiledAt, presentation }: Contents): string {
  const { texts: { access, facts }, settings, formatTime } = presentation;
  const { name, supervisoryAuthority } = settings;
  const list = definitions([
    [facts.store, escape(name ?? request.storeId)],
    ...responsibleFacts(presentation).map(([name, text]) => [name, escape(text)] as const),
    ...(supervisoryAuthority
      ? [[facts.supervisoryAuthority, escape(supervisoryAuthority.name)] as const]
      : []),
    [facts.customerNumber, escape(description.customerId)],
    [facts.request, escape(request.requestId)],
    [facts.requested, time(description.receivedAt, formatTime)],
    [facts.compiled, time(compiledAt, formatTime)],
  ]);
  const [title, introduction] = [escape(access.title), escape(access.introduction)];
  return `<header>\n<h1>${title}</h1>\n<p>${introduction}</p>\n${list}\n</header>\n`;
}

/** The statements of the settings. */
function statementsOf(presentation: Presentation): (readonly [name: string, html: string])[] {
  const { texts, settings: { automatedDecisions } } = presentation;
  const transfers = transfersOf(presentation, texts.noThirdCountries);
  return [
    ...(transfers ? [[texts.facts.thirdCountries, value(transfers, texts.access.none)] as const] : []),
    ...(automatedDecisions === null
      ? []
      : [[texts.facts.automatedDecisions, inStoreLanguage(automatedDecisions, presentation)] as const]),
  ];
}

/** Marks the language of the store's own words where it differs from that of the document. */
function inStoreLanguage(
  words: string,
  { texts, settings }: Pick<Presentation, "texts" | "settings">,
): string {
  const language = settings.languages?.[0];
  const isOther = language !== undefined && language !== texts.language;
  return isOther ? `<span lang="${language}">${escape(words)}</span>` : escape(words);
}

function tableOfContents(
  sections: readonly ParticipantSection[],
  { texts: { access } }: Presentation,
  hasStatements: boolean,
): string {
  const items = sections.map((section, index) => {
    const name = escape(section.service);
    const note = escape(section.complete ? counted(access.records, section.records) : access.incomplete);
    return `<li><a href="#source-${index + 1}">${name}</a> <span class="quiet">${note}</span></li>\n`;
  });
  const link = (id: string, title: string) => `<li><a href="#${id}">${escape(title)}</a></li>\n`;
  return `<nav aria-labelledby="contents">\n<h2 id="contents">${escape(access.contents)}</h2>\n<ol>\n` +
    items.join("") + (hasStatements ? link("statements", access.statements) : "") +
    link("rights", access.rights) + "</ol>\n</nav>\n";
}

function sectionHead(section: ParticipantSection, index: number, presentation: Presentation): string {
  const id = `source-${index + 1}`;
  const title = `<h2 id="${id}-title" dir="auto">${escape(section.service)}</h2>`;
  const summary = escape(summaryOf(section, presentation));
  return `<section id="${id}" aria-labelledby="${id}-title">\n${title}\n<p>${summary}</p>\n` +
    processing(section, presentation);
}

function processing(
  { processing, furtherProcessing }: ParticipantSection,
  { texts: { access, facts } }: Presentation,
): string {
  if (processing.length === 0) return "";
  const hasLegalBasis = processing.some(({ legalBasis }) => legalBasis !== undefined);
  const columns = [
    facts.category,
    facts.purpose,
    ...(hasLegalBasis ? [facts.legalBasis] : []),
    facts.retention,
    facts.recipients,
    facts.records,
  ].map(escape);
  const rows = processing.map(({ category, purpose, legalBasis, retention, recipients, records }) => {
    const cells = [
      category,
      purpose,
      ...(hasLegalBasis ? [legalBasis ?? access.notStated] : []),
      retention,
      recipients.join(", ") || access.notStated,
      String(records),
    ];
    return `<tr>${
      cells.map((cell, index) => `<td data-label="${columns[index]}" dir="auto">${escape(cell)}</td>`).join(
        "",
      )
    }</tr>\n`;
  });
  const further = furtherProcessing ? `<p>${escape(access.furtherPurposes)}</p>\n` : "";
  const heads = columns.map((name) => `<th scope="col">${name}</th>`).join("");
  return `<table>\n<caption>${escape(access.dataAndPurposes)}</caption>\n<thead><tr>${heads}</tr></thead>\n` +
    `<tbody>\n${rows.join("")}</tbody>\n</table>\n${further}`;
}

function article(
  { category, recordedAt, purpose, legalBasis, retention, recipients, data }: PresentedRecord,
  { isOwn }: ParticipantSection,
  presentation: Presentation,
): string {
  const { access, facts } = presentation.texts;
  const at = recordedAt === undefined ? "" : ` <span class="quiet">${dated(recordedAt, presentation)}</span>`;
  const details = [
    [facts.purpose, purpose],
    ...(legalBasis === undefined ? [] : [[facts.legalBasis, legalBasis]]),
    [facts.retention, retention],
    [facts.recipients, recipients.join(", ") || access.notStated],
  ].map(([name, text]) => escape(`${name}: ${text}`)).join("; ");
  const body = isOwn
    ? definitions(
      readableFields(data, presentation).map(([name, field]) => [name, value(field, access.none)]),
    )
    : value(data, access.none);
  return `<article>\n<h3 dir="auto">${escape(category)}${at}</h3>\n${body}\n` +
    `<p class="quiet" dir="auto">${details}</p>\n</article>\n`;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** Time of a participant, which may differ from ISO 8601. */
function dated(text: string, { formatTime }: Presentation): string {
  const date = new Date(ISO_TIME.test(text) ? text : NaN);
  return Number.isNaN(date.getTime()) ? escape(text) : time(date, formatTime);
}

function definitionSection(
  id: string,
  title: string,
  entries: readonly (readonly [name: string, html: string])[],
): string {
  return `<section id="${id}" aria-labelledby="${id}-title">\n` +
    `<h2 id="${id}-title">${escape(title)}</h2>\n${definitions(entries)}\n</section>\n`;
}

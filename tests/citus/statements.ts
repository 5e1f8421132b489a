/** Statements of a script for psql. */

/** Returns the statements, without comments before them. */
export function statementsOf(script: string): string[] {
  const text = script.replaceAll(/^--.*$/gm, "");
  return (text.match(/(?:\$\$[^]*?\$\$|[^;])+/g) ?? []).map((statement) => statement.trim()).filter(Boolean);
}

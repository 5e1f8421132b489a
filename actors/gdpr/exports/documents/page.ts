/** Frame of a document in HTML: one self-contained page without scripts or external resources. */
import { sha256 } from "../../../../lib/hash.ts";
import { escape } from "./html.ts";

/** The policy allows the style of the page and nothing else. */
export interface PageFrame {
  head: string;
  contentSecurityPolicy: string;
}

export async function framePage(language: string, title: string): Promise<PageFrame> {
  const style = await Deno.readTextFile(new URL("./access_style.css", import.meta.url));
  const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${sha256(style).toBase64()}'`;
  const head = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
`;
  return { head, contentSecurityPolicy };
}

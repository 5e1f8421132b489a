/** POST request to a GraphQL server, and the parts of its answer that tests read. */

export const JSON_BODY = { "content-type": "application/json" };

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- tests look into answers of every shape
  data: any;
  errors: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[] | undefined;
  /** Codes of the errors, in order. */
  codes: unknown[];
}

export async function post(url: string, body: BodyInit, headers: Record<string, string>): Promise<Reply> {
  const response = await fetch(url, { method: "POST", body, headers });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : {};
  const codes = (json.errors ?? []).map((error: { extensions?: { code?: unknown } }) =>
    error.extensions?.code
  );
  const { status } = response;
  return { status, headers: response.headers, text, data: json.data, errors: json.errors, codes };
}

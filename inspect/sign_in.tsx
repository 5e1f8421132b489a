/** Sign-in and sign-out pages. */
import { type Context, Hono } from "@hono/hono";
import { DomainError } from "../domain/errors.ts";
import { asDomainError } from "../db/errors.ts";
import { refusalHeaders } from "../auth/refusals.ts";
import { isEqual } from "../lib/hash.ts";
import type { BodyReader } from "../http/body_reader.ts";
import { isShort, receiveForm } from "./forms.ts";
import { Frame } from "./page.tsx";
import { type InspectEnv, type SessionOptions, signIn, signOut } from "./session.ts";

export interface SignInOptions extends SessionOptions {
  /** Development only: the code in the link that `start` prints signs in without a token. */
  development: { code: string; token(): Promise<string> } | undefined;
}

/** Routes that need no session. */
export function createSignIn(options: SignInOptions): Hono {
  return new Hono()
    .get("/sign-in", async (c) => {
      const { development } = options;
      const to = ownPath(c.req.query("to"));
      if (development && isEqual(c.req.query("code") ?? "", development.code)) {
        await signIn(c, options, await development.token());
        return c.redirect(to);
      }
      return c.html(<SignIn to={to} problem={undefined} mayHaveSession={isCrossSiteLink(c)} />);
    })
    .post("/sign-in", async (c) => {
      await receiveForm(c, options.bodies);
      const { token, to: target } = await c.req.parseBody();
      const to = ownPath(target);
      try {
        await signIn(c, options, String(token ?? "").trim());
      } catch (error) {
        const expected = asDomainError(error);
        if (!expected) throw error;
        return c.html(
          <SignIn to={to} problem={expected} mayHaveSession={false} />,
          expected.code === "FORBIDDEN" ? 403 : 401,
          refusalHeaders(expected),
        );
      }
      return c.redirect(to, 303);
    })
    .get("/signed-out", (c) => c.html(<SignIn to="/inspect" problem={undefined} mayHaveSession={false} />));
}

/** Route that needs a session. */
export function createSignOut(options: SessionOptions): Hono<InspectEnv> {
  return new Hono<InspectEnv>().post("/sign-out", async (c) => {
    await signOut(c, options);
    return c.redirect("/inspect/signed-out", 303);
  });
}

/** Whether a link of another site led here. Browsers then omit the session cookie, which is SameSite=Strict. */
function isCrossSiteLink(c: Context): boolean {
  const site = c.req.header("sec-fetch-site") ?? "cross-site"; // some browsers omit the header without TLS
  return site === "cross-site" && c.req.query("to") !== undefined;
}

/** @param mayHaveSession whether the person may have a session although the browser sent no cookie */
function SignIn(
  { to, problem, mayHaveSession }: { to: string; problem: DomainError | undefined; mayHaveSession: boolean },
) {
  return (
    <Frame title="Sign in">
      <main id="main" class="narrow" tabindex={-1}>
        <h1>Sign in</h1>
        <p>
          The inspector shows customers, groups and GDPR requests to staff. Sign in with the token of a staff
          member. Your roles decide which pages you see.
        </p>
        {mayHaveSession && (
          <p>
            Did you follow a link and are already signed in? <a href={to}>Continue</a>
          </p>
        )}
        {problem && <p class="problem" role="alert">{problem.message}</p>}
        <form method="post" action="/inspect/sign-in">
          <input type="hidden" name="to" value={to} />
          <label for="token">Token</label>
          <textarea id="token" name="token" rows={6} required autocomplete="off" spellcheck={false}>
          </textarea>
          <button type="submit">Sign in</button>
        </form>
      </main>
    </Frame>
  );
}

/** Response to a form whose session has ended. It returns the texts that the person wrote. */
export async function respondSessionEnded(
  c: Context,
  { bodies }: Pick<SessionOptions, "bodies">,
): Promise<Response> {
  const { pathname, search } = new URL(c.req.url);
  const to = ownPath(`${pathname}${search}`);
  const texts = await readTexts(c, bodies);
  return c.html(
    <Frame title="Sign in again">
      <main id="main" class="narrow" tabindex={-1}>
        <h1>Sign in again</h1>
        <p>Your session has ended, so nothing was changed.</p>
        {texts.map(({ name, text }) => (
          <p>
            Copy the {name} that you wrote: <q>{text}</q>
          </p>
        ))}
        <p>
          <a href={`/inspect/sign-in?to=${encodeURIComponent(to)}`}>Sign in</a>
        </p>
      </main>
    </Frame>,
    401,
  );
}

/** Texts in the form; none if the form cannot be read, which must not hide that the session has ended. */
async function readTexts(c: Context, bodies: BodyReader): Promise<{ name: string; text: string }[]> {
  try {
    if (!isShort(c)) return [];
    await receiveForm(c, bodies);
    const form = await c.req.parseBody();
    return ["reason", "note"].flatMap((name) => {
      const text = form[name];
      return typeof text === "string" && text.trim() !== "" ? [{ name, text }] : [];
    });
  } catch {
    return [];
  }
}

/** Path to open after sign-in. Returns `/inspect` for anything but a path of the inspector: no open redirect. */
function ownPath(to: unknown): string {
  const own = "http://inspector.invalid";
  const url = typeof to === "string" ? URL.parse(to, own) : null;
  if (url?.origin !== own || !/^\/inspect(\/|$)/.test(url.pathname)) return "/inspect";
  return `${url.pathname}${url.search}`;
}

/** The form that turns a token into a session. */
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
  /** In development: whoever brings the code of the link that `start` prints gets a token. */
  development: { code: string; token(): Promise<string> } | undefined;
}

/** Mounted before anybody has to be signed in. */
export function createSignIn(options: SignInOptions): Hono {
  return new Hono()
    .get("/sign-in", async (c) => {
      const { development } = options;
      const to = ownPath(c.req.query("to"));
      if (development && isEqual(c.req.query("code") ?? "", development.code)) {
        await signIn(c, options, await development.token());
        return c.redirect(to);
      }
      return c.html(<SignIn to={to} problem={undefined} mayGoOn={cameFromElsewhere(c)} />);
    })
    .post("/sign-in", async (c) => {
      await receiveForm(c, options.bodies);
      const { token, to: wanted } = await c.req.parseBody();
      const to = ownPath(wanted);
      try {
        await signIn(c, options, String(token ?? "").trim());
      } catch (error) {
        const expected = asDomainError(error);
        if (!expected) throw error;
        return c.html(
          <SignIn to={to} problem={expected} mayGoOn={false} />,
          expected.code === "FORBIDDEN" ? 403 : 401,
          refusalHeaders(expected),
        );
      }
      return c.redirect(to, 303);
    })
    .get("/signed-out", (c) => c.html(<SignIn to="/inspect" problem={undefined} mayGoOn={false} />));
}

/** For who is signed in. */
export function createSignOut(options: SessionOptions): Hono<InspectEnv> {
  return new Hono<InspectEnv>().post("/sign-out", async (c) => {
    await signOut(c, options);
    return c.redirect("/inspect/signed-out", 303);
  });
}

/** A browser that follows a link of another site keeps the session's cookie to itself, until the next step on ours. */
function cameFromElsewhere(c: Context): boolean {
  const site = c.req.header("sec-fetch-site") ?? "cross-site"; // some browsers do not say so without TLS
  return site === "cross-site" && c.req.query("to") !== undefined;
}

/** @param mayGoOn whoever comes here may be signed in all the same */
function SignIn(
  { to, problem, mayGoOn }: { to: string; problem: DomainError | undefined; mayGoOn: boolean },
) {
  return (
    <Frame title="Sign in">
      <main id="main" class="narrow" tabindex={-1}>
        <h1>Sign in</h1>
        <p>
          The inspector shows the requests of data subjects. It takes a token for a member of staff with the
          role PRIVACY_OFFICER or STORE_MANAGER.
        </p>
        {mayGoOn && (
          <p>
            Have you come by a link and are signed in already? <a href={to}>Go on</a>
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

/** What a form is answered once its session has ended; nothing of what was written is lost. */
export async function answerAfterEnd(
  c: Context,
  { bodies }: Pick<SessionOptions, "bodies">,
): Promise<Response> {
  const { pathname, search } = new URL(c.req.url);
  const to = ownPath(`${pathname}${search}`);
  const reason = await reasonOf(c, bodies);
  return c.html(
    <Frame title="Sign in again">
      <main id="main" class="narrow" tabindex={-1}>
        <h1>Sign in again</h1>
        <p>Your session has ended, so nothing has been done.</p>
        {typeof reason === "string" && reason.trim() !== "" && (
          <p>
            What you wrote, to be copied: <q>{reason}</q>
          </p>
        )}
        <p>
          <a href={`/inspect/sign-in?to=${encodeURIComponent(to)}`}>Sign in</a>
        </p>
      </main>
    </Frame>,
    401,
  );
}

/** What the form gives as its reason; undefined where it cannot be read, which must not hide that the session has ended. */
async function reasonOf(c: Context, bodies: BodyReader): Promise<unknown> {
  try {
    if (!isShort(c)) return undefined;
    await receiveForm(c, bodies);
    return (await c.req.parseBody()).reason;
  } catch {
    return undefined;
  }
}

/** Where to go afterwards: a page of the inspector, whatever the address asks for. */
function ownPath(to: unknown): string {
  const own = "http://inspector.invalid";
  const url = typeof to === "string" ? URL.parse(to, own) : null;
  if (url?.origin !== own || !/^\/inspect(\/|$)/.test(url.pathname)) return "/inspect";
  return `${url.pathname}${url.search}`;
}

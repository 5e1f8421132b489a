/** The form that turns a token into a session. */
import { Hono } from "@hono/hono";
import { csrf } from "@hono/hono/csrf";
import { asDomainError, DomainError } from "../actors/errors.ts";
import { Frame } from "./page.tsx";
import { type SessionOptions, signIn, signOut } from "./session.ts";

export interface SignInOptions extends SessionOptions {
  /** In development: whoever brings the code of the link that `start` prints gets a token. */
  development: { code: string; token(): Promise<string> } | undefined;
}

/** Mounted before anybody has to be signed in. */
export function createSignIn(options: SignInOptions): Hono {
  return new Hono()
    .use(csrf()) // a page of another site must not sign anybody in
    .get("/sign-in", async (c) => {
      const { development } = options;
      const to = ownPath(c.req.query("to"));
      if (development && c.req.query("code") === development.code) {
        await signIn(c, options, await development.token());
        return c.redirect(to);
      }
      return c.html(<SignIn to={to} problem={undefined} />);
    })
    .post("/sign-in", async (c) => {
      const { token, to: wanted } = await c.req.parseBody();
      const to = ownPath(wanted);
      try {
        await signIn(c, options, String(token ?? "").trim());
      } catch (error) {
        const expected = asDomainError(error);
        if (!expected) throw error;
        return c.html(<SignIn to={to} problem={expected} />, expected.code === "FORBIDDEN" ? 403 : 401);
      }
      return c.redirect(to, 303);
    })
    .get("/signed-out", (c) => c.html(<SignIn to="/inspect" problem={undefined} />));
}

/** For who is signed in. */
export function createSignOut(options: SessionOptions): Hono {
  return new Hono().post("/sign-out", (c) => {
    signOut(c, options);
    return c.redirect("/inspect/signed-out", 303);
  });
}

function SignIn({ to, problem }: { to: string; problem: DomainError | undefined }) {
  return (
    <Frame title="Sign in">
      <main id="main" class="narrow" tabindex={-1}>
        <h1>Sign in</h1>
        <p>
          The inspector shows the requests of data subjects. It takes a token for a member of staff with the
          role PRIVACY_OFFICER or STORE_MANAGER.
        </p>
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

/** Where to go afterwards: a page of the inspector, whatever the address asks for. */
function ownPath(to: unknown): string {
  return typeof to === "string" && /^\/inspect(?:[/?][\w/?=&%:+~-]*)?$/.test(to) ? to : "/inspect";
}

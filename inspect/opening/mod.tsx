/** `/inspect/open`: opens a request of a person without an account, such as one who has written a letter. */
import type { Hono } from "@hono/hono";
import { openRequests } from "../access.ts";
import type { Pages } from "../options.ts";
import { Page } from "../page.tsx";
import type { InspectContext, InspectEnv } from "../session.ts";
import { OpeningForm, type RefusedOpening, submitOpening } from "./form.tsx";

const PATH = "/open";

export function addOpening(app: Hono<InspectEnv>, { actors }: Pick<Pages, "actors">): void {
  app.get(PATH, openRequests, (c) => c.html(<OpeningPage c={c} refused={undefined} />));

  app.post(PATH, openRequests, async (c) => {
    const opened = await submitOpening(c, actors);
    if ("path" in opened) return c.redirect(opened.path, 303);
    return c.html(<OpeningPage c={c} refused={opened.refused} />, opened.status);
  });
}

function OpeningPage({ c, refused }: { c: InspectContext; refused: RefusedOpening | undefined }) {
  return (
    <Page c={c} title="Request of a person without an account">
      <section class="actions">
        <OpeningForm c={c} path="/inspect/open" hasAccount={false} refused={refused} />
      </section>
    </Page>
  );
}

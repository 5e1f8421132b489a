/** Many stories of persons with several requests, holds, retention and notices. */
import { assertStories } from "./subject_stories.ts";

Deno.test("many stories lose no hold, leave no request waiting, and leave no person uninformed who is not found", () =>
  assertStories(150));

/** Performer of the effect `export.compile`. */
import type { Performer } from "../../commands.ts";
import { ignoreRefused } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import type { ExportDescription, ExportStore, RequestKey } from "../types.ts";

export interface CompileOptions {
  store: ExportStore;
  /** Facts about the request; undefined if it does not exist or has no export. */
  describe(key: RequestKey): Promise<ExportDescription | undefined>;
}

/** Compiles the documents of a request and sends `compiled` to it. Skips a request that no longer waits for them. */
export function compilePerformer({ store, describe }: CompileOptions): Performer {
  return async ({ storeId, actorId, traceparent }, { actors, signal }) => {
    const key = { storeId, requestId: actorId };
    const description = await describe(key);
    if (!description) return "done";
    const compile = async () => {
      await store.compile(key, description, signal);
      await actors.send({ kind: "gdpr_request", storeId, id: actorId }, { type: "compiled" }, {
        by: systemPrincipal(storeId),
        traceparent,
      });
    };
    try {
      await ignoreRefused(compile());
    } catch (error) {
      if (signal.aborted) return "more";
      throw error;
    }
    return "done";
  };
}

/** How the effect `export.compile` is performed. */
import type { Performer } from "../../commands.ts";
import { DomainError } from "../../../domain/errors.ts";
import { systemPrincipal } from "../../../domain/principal.ts";
import type { ExportDescription, ExportStore, RequestKey } from "../vocabulary.ts";

export interface CompileOptions {
  store: ExportStore;
  /** What is compiled; undefined when the request is none for an export, or none at all. */
  describe(key: RequestKey): Promise<ExportDescription | undefined>;
}

/** Makes the documents of a request and tells it so. A request that does not wait for them any more goes without. */
export function compilePerformer({ store, describe }: CompileOptions): Performer {
  return async ({ storeId, actorId, traceparent }, { actors, signal }) => {
    const key = { storeId, requestId: actorId };
    const description = await describe(key);
    if (!description) return "done";
    try {
      await store.compile(key, description, signal);
      await actors.send({ kind: "gdpr_request", storeId, id: actorId }, { type: "compiled" }, {
        by: systemPrincipal(storeId),
        traceparent,
      });
    } catch (error) {
      if (signal.aborted) return "more";
      if (!(error instanceof DomainError && error.code === "REFUSED_IN_STATE")) throw error;
    }
    return "done";
  };
}

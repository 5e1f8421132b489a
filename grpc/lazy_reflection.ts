/** Reflection service that loads its descriptors at the first call: most servers never receive one. */
import type { DescService } from "@bufbuild/protobuf";
import type { Call, Methods, StreamMethod } from "./call.ts";

const PATHS = ["v1", "v1alpha"].map((version) =>
  `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
);

/** @param services what is listed; the reflection services list themselves */
export function createReflection(services: readonly DescService[]): Methods {
  let loading: Promise<Methods> | undefined;
  const load = async () => (await import("./reflection.ts")).createReflection(services);
  const method = (path: string): StreamMethod => ({
    kind: "stream",
    async *handle(requests: AsyncIterable<Uint8Array>, call: Call) {
      const methods = await (loading ??= load());
      yield* (methods[path] as StreamMethod).handle(requests, call);
    },
  });
  return Object.fromEntries(PATHS.map((path) => [path, method(path)]));
}

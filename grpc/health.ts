/** Standard health service: Check, List and Watch. */
import type { Call, Methods } from "./call.ts";
import { pathOf, streamMethod, unaryMethod } from "./codec.ts";
import {
  Health,
  type HealthCheckRequest,
  HealthCheckResponse_ServingStatus as Serving,
} from "./gen/grpc/health/v1/health_pb.ts";
import { GrpcError } from "./status.ts";

export interface HealthService {
  methods: Methods;
  /** Sets the status; NOT_SERVING at first. */
  setServing(isServing: boolean): void;
}

/** @param services full names of the services whose health is known; the server as a whole, "", always is */
export function createHealth(services: readonly string[]): HealthService {
  const names = ["", ...services];
  const watchers = new Set<() => void>();
  let status = Serving.NOT_SERVING;

  async function* watch(requests: AsyncIterable<HealthCheckRequest>, { signal }: Call) {
    const { service } = await one(requests);
    for (;;) {
      const changed = Promise.withResolvers<void>();
      watchers.add(changed.resolve);
      signal.addEventListener("abort", () => changed.resolve(), { once: true });
      try {
        const current = names.includes(service) ? status : Serving.SERVICE_UNKNOWN;
        yield { status: current };
        await changed.promise;
      } finally {
        watchers.delete(changed.resolve);
      }
      if (signal.aborted) return;
    }
  }

  return {
    methods: {
      [pathOf(Health.method.check)]: unaryMethod(Health.method.check, ({ service }) => {
        if (names.includes(service)) return { status };
        throw new GrpcError("NOT_FOUND", "Cannot find a service of this name");
      }),
      [pathOf(Health.method.list)]: unaryMethod(Health.method.list, () => ({
        statuses: Object.fromEntries(names.map((name) => [name, { status }])),
      })),
      [pathOf(Health.method.watch)]: streamMethod(Health.method.watch, watch),
    },
    setServing(isServing) {
      const next = isServing ? Serving.SERVING : Serving.NOT_SERVING;
      if (next === status) return;
      status = next;
      for (const wake of [...watchers]) wake();
    },
  };
}

/** The only request of a server-streaming method. */
async function one<T>(requests: AsyncIterable<T>): Promise<T> {
  let found: { value: T } | undefined;
  for await (const value of requests) {
    if (found) throw new GrpcError("UNIMPLEMENTED", "The method takes one message, not several");
    found = { value };
  }
  if (!found) throw new GrpcError("UNIMPLEMENTED", "The method takes one message, not none");
  return found.value;
}

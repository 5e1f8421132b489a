/** Requests of every kind for the overview, made by commands, and the rows to compare it with. */
import { PARTICIPANTS } from "../actors/settings.ts";
import { register, tell } from "../actors/world.ts";
import { createRequestFixture } from "../gdpr/request_fixture.ts";
import { startInspector, type TestInspector } from "./server.ts";

const DAY = 24 * 60 * 60_000;

export interface Overview extends TestInspector {
  workshop: ReturnType<typeof createRequestFixture>;
  /** Opens a request `daysAgo` and returns it. */
  open(right: string, daysAgo: number): ReturnType<ReturnType<typeof createRequestFixture>["open"]>;
  /** Runs all work that was due `daysAgo`. */
  runDueWork(daysAgo: number): Promise<void>;
}

/** Starts an inspector whose clock the test sets. */
export async function startOverview(
  options: Parameters<typeof startInspector>[0] = {},
): Promise<Overview> {
  let now = new Date();
  const inspector = await startInspector({ ...options, clock: () => now });
  const { world } = inspector;
  const doNothing = () => Promise.resolve(undefined as never);
  const workshop = createRequestFixture(world, {
    "source.collect": doNothing,
    "export.compile": doNothing,
    "erasure.verify": doNothing,
  });
  const at = (daysAgo: number) => new Date(Math.floor(Date.now() - daysAgo * DAY));
  return Object.assign(inspector, {
    workshop,
    async open(right: string, daysAgo: number) {
      now = at(daysAgo);
      const corrections = right === "RECTIFICATION" ? { corrections: { firstName: "Ada" } } : {};
      return await workshop.open(await register(world), right, corrections, { by: world.system });
    },
    async runDueWork(daysAgo: number) {
      now = at(daysAgo);
      await workshop.work(now);
    },
  });
}

/** Opens sixty requests of all types over forty days, in many states. */
export async function openRequests(overview: Overview): Promise<void> {
  const { world, workshop: { tell: say }, officer } = overview;
  const by = { by: officer };
  const kinds = ["ACCESS", "ERASURE", "PORTABILITY", "RECTIFICATION"];
  const opened = [];
  for (let index = 0; index < 60; index++) {
    const right = kinds[index % 4]!;
    const request = await overview.open(right, 40 - (index % 20) * 2);
    if (right !== "RECTIFICATION") opened.push({ index, right, request });
    if (right !== "RECTIFICATION" && index % 9 === 0) {
      await say(request, "hold", { ground: "LEGAL_CLAIM", reason: "a court asks" }, by);
    }
  }
  await overview.runDueWork(1);
  const reason = "it is manifestly unfounded";
  for (const { index, right, request } of opened) {
    if (index % 9 === 0) continue;
    if (right === "ERASURE") {
      for (const service of PARTICIPANTS.slice(0, (index >> 2) % 4)) {
        await tell(world, request, "participant.confirm", { service, evidence: "done" });
      }
      if (index === 29) await tell(world, request, "verified", { residue: 2 });
    } else if (index % 5 === 0) await say(request, "cancel", {}, by);
    else if (index % 5 === 1) await say(request, "refuse", { reason, ground: "EXCESSIVE" }, by);
    else if (index % 5 === 2) {
      await say(request, "source.failed", { service: "order-service", error: "UNREACHABLE" });
    }
  }
  // The state that the worker gives to effects that have failed too often.
  await world.admin`
    update effects e set state = 'POISONED' from gdpr_requests r
    where r.request_id = e.actor_id
      and (e.type = 'erasure.verify' or (r.type = 'PORTABILITY' and e.params ->> 'service' = 'payment-service'))`;
  await world.admin`analyze`;
}

/** A request with the values that filters compare. */
export interface Row {
  requestId: string;
  customerId: string;
  type: string;
  status: string;
  outcome: string | null;
  createdAt: Date;
  receivedAt: Date;
  dueAt: Date;
  held: boolean;
  /** Participants whose answer is missing. */
  awaited: string[];
  stuck: boolean;
}

export async function allRows({ world: { admin, storeId } }: TestInspector): Promise<Row[]> {
  const rows = await admin`select * from gdpr_requests where store_id = ${storeId}`;
  const participants = await admin`select * from gdpr_participants where store_id = ${storeId}`;
  const effects = await admin`select * from effects where store_id = ${storeId} and state = 'POISONED'`;
  return rows.map(
    ({ requestId, customerId, type, status, outcome, createdAt, receivedAt, dueAt, snapshot }) => {
      const own = participants.filter((participant) => participant.requestId === requestId);
      const participantsIn = (states: string[]) =>
        own.filter(({ state }) => states.includes(state)).map((p) => p.service);
      const open = status !== "COMPLETED";
      const residue = snapshot.value.IN_PROGRESS === "residue_found";
      const givenUp = effects.filter(({ actorId, params }) =>
        actorId === requestId &&
        !own.some(({ service, settledAt }) => service === params.service && settledAt)
      );
      return {
        requestId,
        customerId,
        type,
        status,
        outcome,
        createdAt,
        receivedAt,
        dueAt,
        held: snapshot.value.PENDING === "held",
        awaited: open ? participantsIn(["ASKED", "RETRYING", "OVERDUE"]) : [],
        stuck: open && (residue || participantsIn(["RETRYING", "OVERDUE"]).length > 0 || givenUp.length > 0),
      };
    },
  );
}

/** Request IDs in a page's list, in order. */
export function idsIn(page: string): string[] {
  const body = /<table class="requests">[\s\S]*?<\/table>/.exec(page)?.[0] ?? "";
  return [...body.matchAll(/href="\/inspect\/requests\/([\w-]+)/g)].map(([, id]) => id!);
}

/** URL of the next page. */
export function nextPageOf(page: string): string | undefined {
  return /<a rel="next" href="([^"]+)"/.exec(page)?.[1]?.replaceAll("&amp;", "&");
}

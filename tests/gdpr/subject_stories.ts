/**
 * Random stories of a person: requests of several origins, checks of the identity, a legal hold, the retention of a closed
 * account, and the delivery of notices, some of them concurrent. No accepted hold is lost, no request waits for an erased
 * person, and no story ends with a person who is not informed and whom staff do not find.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { reviewErasure } from "../../actors/gdpr/effects/review.ts";
import { verifyErasure } from "../../actors/gdpr/effects/verify.ts";
import { sweepBatch } from "../../actors/gdpr/retention.ts";
import type { ActorRef } from "../../actors/commands.ts";
import { searchRequests } from "../../db/gdpr_search.ts";
import { createStoreReader } from "../../db/store_reader.ts";
import { DomainError } from "../../domain/errors.ts";
import { informedOf } from "../../domain/notices.ts";
import { register, shopper, tell } from "../actors/world.ts";
import { assertInvariants, phaseOf } from "./invariants.ts";
import { createManualClockWorld, DAY, fireTimer, type ManualClockWorld } from "./manual_clock.ts";
import { START } from "./race.ts";
import { createRequestFixture } from "./request_fixture.ts";

const CHECK = { method: "EMAIL_REPLY" };
const RETENTION_DAYS = 60;
const EXPIRED = "xstate.after.UNTIL_EXPIRED.gdpr_notice@1.due";
const REPEATED = "xstate.after.UNTIL_REPEAT.gdpr_notice@1.due";

/** A world with the parts that its stories share. */
type StoryWorld = Awaited<ReturnType<typeof createStoryWorld>>;

interface Story {
  world: StoryWorld;
  customer: ActorRef;
}

async function createStoryWorld() {
  const world = await createManualClockWorld({ graceMs: DAY, participants: ["orders"] });
  const { storeId, database, actors, clock } = world;
  const settings = { kind: "store_settings" as const, storeId, id: storeId };
  await tell(world, settings, "settings.change", { closedAccountRetentionDays: RETENTION_DAYS });
  const api = database.pool("customer_api");
  return Object.assign(world, {
    fixture: createRequestFixture(world, PERFORMERS),
    reader: createStoreReader(api),
    sweep: { sql: database.pool("customer_worker"), api, actors, clock },
  });
}

interface Row {
  request: ActorRef;
  phase: string;
  isIdentified: boolean;
}

async function requestsOf({ world: { admin }, customer }: Story, right = "%"): Promise<Row[]> {
  const rows = await admin`
    select request_id, snapshot, identified_at from gdpr_requests
    where customer_id = ${customer.id} and type like ${right} order by created_at`;
  return rows.map(({ requestId, snapshot, identifiedAt }) => ({
    request: { kind: "gdpr_request", storeId: customer.storeId, id: requestId },
    phase: phaseOf(snapshot.value),
    isIdentified: identifiedAt !== null,
  }));
}

const isOpen = ({ phase }: Row) => !phase.startsWith("COMPLETED");

/** Sends a command to each of some requests. */
async function tellEach(
  story: Story,
  matches: (row: Row) => boolean,
  type: string,
  fields: Record<string, unknown> = {},
): Promise<void> {
  for (const row of (await requestsOf(story)).filter((row) => isOpen(row) && matches(row))) {
    await attempt(tell(story.world, row.request, type, fields));
  }
}

/** The oldest notice that is not settled; undefined without one. */
async function openNotice({ world: { admin }, customer }: Story): Promise<ActorRef | undefined> {
  const [row] = await admin`
    select notice_id from gdpr_notices where customer_id = ${customer.id} and delivery = 'DUE'
    order by created_at limit 1`;
  return row && { kind: "gdpr_notice", storeId: customer.storeId, id: row.noticeId };
}

async function tellNotice(story: Story, type: string, fields: Record<string, unknown> = {}): Promise<void> {
  const notice = await openNotice(story);
  const by = type === "waive" ? story.world.officer : story.world.system;
  if (notice) await attempt(tell(story.world, notice, type, fields, { by }));
}

async function fireOnNotice(story: Story, timer: string): Promise<void> {
  const notice = await openNotice(story);
  if (notice) await fireTimer(story.world, notice, timer);
}

/** Waits for a command, which may be refused. */
async function attempt(sending: Promise<unknown>): Promise<void> {
  await sending.catch((error) => {
    if (!(error instanceof DomainError && EXPECTED.includes(error.code))) throw error;
  });
}

const EXPECTED: readonly string[] = ["REFUSED_IN_STATE", "ALREADY_EXISTS", "NOT_FOUND"];

const open = (
  { world, customer }: Story,
  right: string,
  fields: Record<string, unknown>,
  by = world.officer,
) => attempt(world.fixture.open(customer, right, fields, { by }));
const isUnidentified = ({ isIdentified }: Row) => !isIdentified;
const later = (world: ManualClockWorld, days: number) =>
  world.now = new Date(world.now.getTime() + days * DAY);

const EVENTS: Readonly<Record<string, (story: Story) => Promise<unknown>>> = {
  "access letter": (story) => open(story, "ACCESS", { channel: "LETTER" }),
  "erasure letter": (story) => open(story, "ERASURE", { channel: "LETTER" }),
  "own erasure": (story) => open(story, "ERASURE", {}, shopper(story.customer)),
  verify: (story) => tellEach(story, isUnidentified, "identity.verify", CHECK),
  fail: (story) => tellEach(story, isUnidentified, "identity.fail", { reason: "no answer" }),
  ask: (story) => tellEach(story, isUnidentified, "information.request", { reason: "the signature differs" }),
  receive: (story) => tellEach(story, isUnidentified, "information.receive"),
  async start(story) {
    for (const { request } of await requestsOf(story, "ERASURE")) {
      await fireTimer(story.world, request, START);
    }
  },
  hold: ({ world, customer }) => attempt(tell(world, customer, "hold.place", { ground: "LEGAL_CLAIM" })),
  async lift({ world, customer }) {
    const holds = await world.admin`
      select hold_id from customer_holds where customer_id = ${customer.id} and ended_at is null`;
    for (const { holdId } of holds) await attempt(tell(world, customer, "hold.lift", { holdId }));
  },
  confirm: (story) => tellEach(story, () => true, "participant.confirm", { service: "orders" }),
  verified: (story) => tellEach(story, () => true, "verified", { residue: 0 }),
  cancel: (story) => tellEach(story, () => true, "cancel"),
  close: ({ world, customer }) => attempt(tell(world, customer, "account.close")),
  reinstate: ({ world, customer }) => attempt(tell(world, customer, "account.reinstate")),
  async sweep({ world }) {
    later(world, RETENTION_DAYS - 13);
    await sweepBatch(world.sweep);
  },
  work: ({ world }) => world.fixture.work(world.now),
  deliver: (story) => tellNotice(story, "deliver"),
  bounce: (story) => tellNotice(story, "bounce"),
  waive: (story) => tellNotice(story, "waive", { waiver: "SENT_BY_LETTER" }),
  expire: (story) => fireOnNotice(story, EXPIRED),
  repeat: (story) => fireOnNotice(story, REPEATED),
};

const nothing = () => Promise.resolve("done" as const);
const PERFORMERS = {
  "erasure.review": reviewErasure,
  "erasure.verify": verifyErasure,
  "source.collect": nothing,
  "export.compile": nothing,
};

/** Events with a higher probability, because they lead to an erasure next to another request. */
const LIKELY = ["access letter", "own erasure", "start", "start", "confirm", "verified", "deliver", "bounce"];

/** @param stories number of random stories */
export async function assertStories(stories: number): Promise<void> {
  await using world = await createStoryWorld();
  const start = world.now;
  const label = fc.oneof(
    { arbitrary: fc.constantFrom(...LIKELY), weight: 1 },
    { arbitrary: fc.constantFrom(...Object.keys(EVENTS)), weight: 2 },
  );
  const instant = fc.oneof(
    { arbitrary: label.map((one) => [one]), weight: 2 },
    { arbitrary: fc.array(label, { minLength: 2, maxLength: 3 }), weight: 1 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(instant, { minLength: 6, maxLength: 16 }), async (instants) => {
      world.now = start;
      const story = { world, customer: await register(world, { firstName: "Ada" }) };
      for (const labels of instants) {
        await Promise.all(labels.map((label) => EVENTS[label]!(story)));
        await assertEveryRequest(story);
      }
      await finish(story);
    }),
    { numRuns: stories },
  );
  const [seen] = await world.admin`
    select count(*) filter (where event_type = 'subject.erased')::int as ended,
      (select count(*)::int from gdpr_notices where attempts > 0 and delivery = 'DELIVERED') as delivered
    from actor_events`;
  assert.ok(seen?.delivered > stories, "notices are delivered");
  if (stories >= 40) assert.ok(seen?.ended > 0, "an erasure has ended another request");
}

async function assertEveryRequest(story: Story): Promise<void> {
  for (const { request } of await requestsOf(story)) await assertInvariants(story.world.admin, request);
}

/** Completes every request: no previous event may prevent that. Then staff find every person who is not informed. */
async function finish(story: Story): Promise<void> {
  const { world, customer } = story;
  for (const event of ["lift", "work", "cancel", "confirm", "verified"]) await EVENTS[event]!(story);
  await assertEveryRequest(story);
  const rows = await requestsOf(story);
  assert.deepEqual(rows.filter(isOpen), [], "every request has ended");

  const found = await world.reader.read(customer.storeId, (sql) =>
    searchRequests(sql, {
      storeId: customer.storeId,
      filter: { customerId: customer.id, undelivered: true },
      now: world.now,
    }, { order: "NEWEST", limit: 100 }));
  for (const { request } of rows) {
    const notices = await world.admin`select * from gdpr_notices where request_id = ${request.id}`;
    const informed = informedOf(notices as never, world.now);
    assert.ok(informed, "a request has notices");
    const isInformed = informed === "DELIVERED" || informed === "WAIVED";
    assert.equal(found.some(({ requestId }) => requestId === request.id), !isInformed, informed);
    for (const { noticeId: id } of notices) {
      await tell(world, { ...request, kind: "gdpr_notice", id }, "deliver");
    }
  }
  const [left] = await world.admin`
    select count(*)::int as count from gdpr_notices
    where customer_id = ${customer.id} and (delivery <> 'DELIVERED' or sealed_recipient is not null)`;
  assert.equal(left?.count, 0, "a late delivery counts in every state, and destroys the recipient");
}

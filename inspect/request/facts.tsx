/** What a request is: whose, since when, until when. */
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { counted, dueWords } from "../spans.ts";
import { Who } from "../timeline/who.tsx";
import { shortId, typeWords } from "../overview/words.ts";
import type { RequestReading } from "./read.ts";
import { phaseOf } from "./standing.ts";

export function Facts({ c, reading }: { c: InspectContext; reading: RequestReading }) {
  const { row, standing, stored: { context }, moment, birth, waitsFor } = reading;
  const open = !phaseOf(standing.state).startsWith("COMPLETED");
  const extended = row.extensionReason !== null && standing.dueAt.getTime() === row.dueAt.getTime();
  const { requestedBy, customerId } = row;
  return (
    <dl class="facts">
      <div>
        <dt>Request</dt>
        <dd>
          <code>{row.requestId}</code>
        </dd>
      </div>
      <div>
        <dt>Customer</dt>
        <dd>
          <a href={inStore(c, `/inspect/customers/${customerId}`)}>
            <code>{customerId}</code>
          </a>
        </dd>
      </div>
      <div>
        <dt>Opened</dt>
        <dd>
          <Instant at={row.createdAt} /> by {requestedBy === customerId ? "the customer" : (
            <Who
              id={requestedBy}
              type={birth?.principalType ?? "STAFF"}
              service={birth?.principalService ?? null}
              viewer={c.var.by.id}
            />
          )}
          {context.cause === "RESTORE" &&
            ", because a restored backup had brought erased data back"}
        </dd>
      </div>
      <div>
        <dt>Due</dt>
        <dd>
          <Instant at={standing.dueAt} />
          {open && ` (${dueWords(standing.dueAt, standing.now)})`}
        </dd>
      </div>
      {extended && (
        <div>
          <dt>Extended</dt>
          <dd>
            to three months from receipt: <bdi>{row.extensionReason}</bdi>
          </dd>
        </div>
      )}
      {waitsFor.length > 0 && (
        <div>
          <dt>Waits for</dt>
          <dd>
            {waitsFor.map(({ requestId, type }, index) => (
              <>
                {index > 0 && ", "}
                <a href={inStore(c, `/inspect/requests/${requestId}`)} title={requestId}>
                  {typeWords(type)} request <code>{shortId(requestId)}</code>
                </a>
              </>
            ))}
          </dd>
        </div>
      )}
      <div>
        <dt>Machine</dt>
        <dd>
          <code>{row.machine}</code>, {counted(moment?.sequence ?? row.version, "event")}{" "}
          {moment ? "by then" : "so far"}
        </dd>
      </div>
    </dl>
  );
}

/** Facts of a request: customer, dates, machine. */
import type { Contact } from "../../actors/gdpr/requests/subject.ts";
import { Instant } from "../page.tsx";
import { type InspectContext, inStore } from "../session.ts";
import { formatCount, formatDueDate } from "../durations.ts";
import { PrincipalName } from "../timeline/principal_name.tsx";
import { shortId, typeLabel } from "../overview/labels.ts";
import { informedOf } from "../../domain/notices.ts";
import { HOLD_LABELS, REFUSAL_LABELS } from "./ground.tsx";
import { INFORMED_LABELS } from "./notices.tsx";
import type { RequestReading } from "./read.ts";
import { CHANNEL_LABELS, GROUND_LABELS, METHOD_LABELS } from "./entrance_labels.ts";
import { phaseOf } from "./status.ts";

export function Facts(
  { c, reading, contact }: {
    c: InspectContext;
    reading: RequestReading;
    /** Of a person without an account, if the viewer may read it. */
    contact: Contact | undefined;
  },
) {
  const { row, status, snapshot: { context }, moment, openedBy, blockingRequests } = reading;
  const open = !phaseOf(status.state).startsWith("COMPLETED");
  const extended = context.extended && status.dueAt.getTime() === row.dueAt.getTime();
  const { requestedBy, customerId } = row;
  const informed = informedOf(reading.notices, status.now);
  return (
    <dl class="facts">
      <div>
        <dt>Request</dt>
        <dd>
          <code>{row.requestId}</code>
        </dd>
      </div>
      <div>
        <dt>{row.isGuest ? "Person without an account" : "Customer"}</dt>
        <dd>
          {row.isGuest ? <code>{customerId}</code> : (
            <a href={inStore(c, `/inspect/customers/${customerId}`)}>
              <code>{customerId}</code>
            </a>
          )}
        </dd>
      </div>
      {!moment && contact && (
        <div>
          <dt>Contact</dt>
          <dd>
            <bdi>{contact.email}</bdi>
            {contact.phone && <>, {contact.phone}</>}
            {contact.locale && <>, {contact.locale}</>}
          </dd>
        </div>
      )}
      <div>
        <dt>Opened</dt>
        <dd>
          <Instant at={row.createdAt} /> by {requestedBy === customerId ? "the customer" : (
            <PrincipalName
              id={requestedBy}
              type={openedBy?.principalType ?? "STAFF"}
              service={openedBy?.principalService ?? null}
              viewer={c.var.by.id}
            />
          )}
          {context.cause === "RESTORE" &&
            ", because a restored backup contained erased data"}
          {context.cause === "RETENTION" && ", at the end of the retention period of the closed account"}
        </dd>
      </div>
      {row.receivedAt.getTime() !== row.createdAt.getTime() && (
        <div>
          <dt>Received</dt>
          <dd>
            <Instant at={row.receivedAt} /> {CHANNEL_LABELS[row.channel]}
          </dd>
        </div>
      )}
      {row.representativeGround && (
        <div>
          <dt>On behalf of the customer</dt>
          <dd>
            {row.representativeName ? <bdi>{row.representativeName}</bdi> : "a person whose name was erased"}
            {" "}
            {GROUND_LABELS[row.representativeGround]}
            {row.representativeReference && (
              <>
                ; <bdi>{row.representativeReference}</bdi>
              </>
            )}
          </dd>
        </div>
      )}
      {!moment && row.channel !== "ACCOUNT" && row.identifiedAt && row.identityMethod && (
        <div>
          <dt>Identity</dt>
          <dd>
            {METHOD_LABELS[row.identityMethod]}; checked on <Instant at={row.identifiedAt} />
            {row.identifiedBy && (
              <>
                {" "}by <PrincipalName id={row.identifiedBy} type="STAFF" viewer={c.var.by.id} />
              </>
            )}
            {row.identityReference && (
              <>
                ; <bdi>{row.identityReference}</bdi>
              </>
            )}
          </dd>
        </div>
      )}
      <div>
        <dt>Due</dt>
        <dd>
          <Instant at={status.dueAt} />
          {open && (status.clockPausedSince
            ? "; the clock is paused"
            : ` (${formatDueDate(status.dueAt, status.now)})`)}
        </dd>
      </div>
      {extended && (
        <div>
          <dt>Extended</dt>
          <dd>
            to three months from receipt{row.extensionReason && (
              <>
                : <bdi>{row.extensionReason}</bdi>
              </>
            )}
          </dd>
        </div>
      )}
      {!moment && row.confirmedBy !== null && (
        <div>
          <dt>Confirmed</dt>
          <dd>
            {row.confirmedAt && <Instant at={row.confirmedAt} />} by {row.confirmedBy === customerId
              ? "the customer"
              : <PrincipalName id={row.confirmedBy} type="STAFF" viewer={c.var.by.id} />}
          </dd>
        </div>
      )}
      {!moment && row.fetchedAt && (
        <div>
          <dt>Documents received</dt>
          <dd>
            <Instant at={row.fetchedAt} />
          </dd>
        </div>
      )}
      {!moment && informed && (
        <div>
          <dt>Informed</dt>
          <dd>
            {INFORMED_LABELS[informed]}, see <a href="#notices">notices</a>
          </dd>
        </div>
      )}
      {!moment && row.holdGround && (
        <div>
          <dt>Ground of the hold</dt>
          <dd>{HOLD_LABELS[row.holdGround]}</dd>
        </div>
      )}
      {!moment && row.refusalGround && (
        <div>
          <dt>Legal ground</dt>
          <dd>{REFUSAL_LABELS[row.refusalGround]}</dd>
        </div>
      )}
      {blockingRequests.length > 0 && (
        <div>
          <dt>Waiting for</dt>
          <dd>
            {blockingRequests.map(({ requestId, type }, index) => (
              <>
                {index > 0 && ", "}
                <a href={inStore(c, `/inspect/requests/${requestId}`)} title={requestId}>
                  {typeLabel(type)} request <code>{shortId(requestId)}</code>
                </a>
              </>
            ))}
          </dd>
        </div>
      )}
      <div>
        <dt>Machine</dt>
        <dd>
          <code>{row.machine}</code>, {formatCount(moment?.sequence ?? row.version, "event")}{" "}
          {moment ? "by then" : "so far"}
        </dd>
      </div>
    </dl>
  );
}

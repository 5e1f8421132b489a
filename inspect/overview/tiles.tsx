/** Counts of the overview: requests that need attention, and requests by type and status, each linked to its list. */
import { RIGHTS } from "../../actors/gdpr/types.ts";
import type { RequestCounts } from "../../db/gdpr_counts.ts";
import { type InspectContext, inStore } from "../session.ts";
import { formatCount } from "../durations.ts";
import { capitalize, failureLabel, stateLabel } from "../labels.ts";
import { OUTCOMES } from "../../actors/gdpr/machines/events.ts";
import { type FilterValues, toSearch } from "./query.ts";
import { outcomeLabel, typeLabel } from "./labels.ts";

type Props = { c: InspectContext; counts: RequestCounts; filters: FilterValues };

export function AttentionTiles({ c, counts, filters }: Props) {
  const { overdue, atRisk, held, proposed, unidentified, stuck } = counts;
  const tiles = [
    {
      count: overdue,
      name: "Overdue",
      explanation: "past the due date",
      tone: "alarm",
      query: { due: "overdue" },
    },
    {
      count: atRisk,
      name: "At risk",
      explanation: "due within 7 days",
      tone: "risk",
      query: { due: "at_risk" },
    },
    { count: held, name: "On hold", explanation: "paused by staff", tone: "risk", query: { held: "yes" } },
    {
      count: proposed,
      name: "To confirm",
      explanation: "a second person confirms or rejects",
      tone: "risk",
      query: { proposed: "yes" },
    },
    {
      count: unidentified,
      name: "To identify",
      explanation: "staff check the identity of the person",
      tone: "risk",
      query: { identity: "unverified" },
    },
    {
      count: stuck,
      name: "Stuck",
      explanation: "a service does not answer, or a step fails repeatedly",
      tone: "alarm",
      query: { stuck: "yes" },
    },
  ] as const;
  return (
    <ul class="needs" aria-label="Requests that need attention">
      {tiles.map(({ count, name, explanation, tone, query }) => {
        const isCurrent = Object.entries(query).every(([name, value]) =>
          filters[name as keyof FilterValues] === value
        );
        return (
          <li class={count === 0 ? "need none" : `need ${tone}`}>
            <a
              href={inStore(c, `/inspect${toSearch(query, "due")}`)}
              aria-current={isCurrent ? "true" : undefined}
            >
              <strong>{count.toLocaleString("en")}</strong>
              <span class="need-name">{name}</span>
              <span class="need-says">{explanation}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** Column of the table of counts. */
interface Column {
  name: string;
  query: FilterValues;
  includes(kind: RequestCounts["kinds"][number]): boolean;
}

const COLUMNS: Column[] = [
  ...(["PENDING", "IN_PROGRESS"] as const).map((status) => ({
    name: capitalize(stateLabel(status)),
    query: { status: [status] },
    includes: (kind: RequestCounts["kinds"][number]) => kind.status === status,
  })),
  ...OUTCOMES.map((outcome) => ({
    name: capitalize(outcomeLabel(outcome)),
    query: { outcome: [outcome] },
    includes: (kind: RequestCounts["kinds"][number]) => kind.outcome === outcome,
  })),
  { name: "All", query: {}, includes: () => true },
];

export function CountsTable({ c, counts, filters }: Props) {
  const rows = [
    ...RIGHTS.map((type) => ({ name: capitalize(typeLabel(type)), type, query: { type: [type] } })),
    { name: "All", type: undefined, query: {} as FilterValues },
  ];
  return (
    <div class="scroll" role="region" aria-label="Requests by type and status" tabindex={0}>
      <table class="kinds">
        <caption>Requests by type and status</caption>
        <thead>
          <tr>
            <th scope="col">Type</th>
            {COLUMNS.map(({ name }) => <th scope="col">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <th scope="row">{row.name}</th>
              {COLUMNS.map((column) => {
                const query = { ...row.query, ...column.query };
                const count = total(
                  counts,
                  ({ type, ...kind }) =>
                    (row.type === undefined || row.type === type) &&
                    column.includes({ type, ...kind }),
                );
                const isCurrent = toSearch(query, "due") === toSearch(filters, "due");
                return (
                  <td>
                    <a
                      class={count === 0 ? "none" : undefined}
                      href={inStore(c, `/inspect${toSearch(query, "due")}`)}
                      aria-label={`${row.name}, ${column.name.toLowerCase()}: ${
                        formatCount(count, "request")
                      }`}
                      aria-current={isCurrent ? "true" : undefined}
                    >
                      {count.toLocaleString("en")}
                    </a>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function total({ kinds }: RequestCounts, includes: Column["includes"]): number {
  return kinds.filter(includes).reduce((sum, { count }) => sum + count, 0);
}

/** Services that requests wait for. */
export function WaitingServices({ c, counts: { waiting }, filters }: Props) {
  if (waiting.length === 0) return null;
  return (
    <p class="waiting">
      Waiting for: {waiting.map(({ service, count, failing, failure }, index) => (
        <>
          {index > 0 && ", "}
          <a
            href={inStore(c, `/inspect${toSearch({ waiting: service }, "due")}`)}
            aria-current={filters.waiting === service ? "true" : undefined}
          >
            {service}
          </a>{" "}
          for {count.toLocaleString("en")} {count === 1 ? "request" : "requests"}
          {failure !== null &&
            ` (${failing.toLocaleString("en")} failing: ${failureLabel(failure) ?? failure})`}
        </>
      ))}
    </p>
  );
}

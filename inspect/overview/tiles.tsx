/** What needs somebody first, and how many requests there are of each kind: every number leads to its list. */
import { RIGHTS } from "../../actors/gdpr/types.ts";
import type { RequestCounts } from "../../db/gdpr_counts.ts";
import { type InspectContext, inStore } from "../session.ts";
import { counted } from "../spans.ts";
import { sentence, stateWords } from "../words.ts";
import { OUTCOMES, searchOf, type Wanted } from "./query.ts";
import { outcomeWords, typeWords } from "./words.ts";

type Props = { c: InspectContext; counts: RequestCounts; wanted: Wanted };

export function Needs({ c, counts, wanted }: Props) {
  const { overdue, atRisk, held, stuck } = counts;
  const tiles = [
    { count: overdue, name: "Overdue", says: "past the due date", tone: "alarm", wants: { due: "overdue" } },
    { count: atRisk, name: "At risk", says: "due within 7 days", tone: "risk", wants: { due: "at_risk" } },
    { count: held, name: "On hold", says: "held back by staff", tone: "risk", wants: { held: "yes" } },
    {
      count: stuck,
      name: "Stuck",
      says: "a service is silent, or a step was given up",
      tone: "alarm",
      wants: { stuck: "yes" },
    },
  ] as const;
  return (
    <ul class="needs" aria-label="What needs somebody">
      {tiles.map(({ count, name, says, tone, wants }) => {
        const here = Object.entries(wants).every(([filter, value]) =>
          wanted[filter as keyof Wanted] === value
        );
        return (
          <li class={count === 0 ? "need none" : `need ${tone}`}>
            <a
              href={inStore(c, `/inspect${searchOf(wants, "due")}`)}
              aria-current={here ? "true" : undefined}
            >
              <strong>{count.toLocaleString("en")}</strong>
              <span class="need-name">{name}</span>
              <span class="need-says">{says}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** A column of the table of kinds. */
interface Column {
  name: string;
  wants: Wanted;
  takes(kind: RequestCounts["kinds"][number]): boolean;
}

const COLUMNS: Column[] = [
  ...(["PENDING", "IN_PROGRESS"] as const).map((status) => ({
    name: sentence(stateWords(status)),
    wants: { status },
    takes: (kind: RequestCounts["kinds"][number]) => kind.status === status,
  })),
  ...OUTCOMES.map((outcome) => ({
    name: sentence(outcomeWords(outcome)),
    wants: { outcome },
    takes: (kind: RequestCounts["kinds"][number]) => kind.outcome === outcome,
  })),
  { name: "All", wants: {}, takes: () => true },
];

export function Kinds({ c, counts, wanted }: Props) {
  const rows = [...RIGHTS.map((type) => ({ name: sentence(typeWords(type)), wants: { type } })), {
    name: "All",
    wants: {} as Wanted,
  }];
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
                const wants = { ...row.wants, ...column.wants };
                const count = total(
                  counts,
                  ({ type, ...kind }) =>
                    (row.wants.type === undefined || row.wants.type === type) &&
                    column.takes({ type, ...kind }),
                );
                const here = searchOf(wants, "due") === searchOf(wanted, "due");
                return (
                  <td>
                    <a
                      class={count === 0 ? "none" : undefined}
                      href={inStore(c, `/inspect${searchOf(wants, "due")}`)}
                      aria-label={`${row.name}, ${column.name.toLowerCase()}: ${counted(count, "request")}`}
                      aria-current={here ? "true" : undefined}
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

function total({ kinds }: RequestCounts, takes: Column["takes"]): number {
  return kinds.filter(takes).reduce((sum, { count }) => sum + count, 0);
}

/** The services that requests wait for. */
export function Waiting({ c, counts: { waiting }, wanted }: Props) {
  if (waiting.length === 0) return null;
  return (
    <p class="waiting">
      Not answered yet: {waiting.map(({ service, count }, index) => (
        <>
          {index > 0 && ", "}
          <a
            href={inStore(c, `/inspect${searchOf({ waiting: service }, "due")}`)}
            aria-current={wanted.waiting === service ? "true" : undefined}
          >
            {service}
          </a>{" "}
          for {count.toLocaleString("en")} {count === 1 ? "request" : "requests"}
        </>
      ))}
    </p>
  );
}

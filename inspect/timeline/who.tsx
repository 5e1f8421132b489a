/** Who has done something, for who looks at it. */
import { type PrincipalType, systemPrincipal } from "../../domain/principal.ts";

const SERVICE_ITSELF = systemPrincipal("").id;
const WORDS: Record<PrincipalType, string> = { CUSTOMER: "the customer", STAFF: "staff", SYSTEM: "service" };

/** @param viewer the id of who looks */
export function Who(
  { id, type, service = null, viewer }: {
    id: string;
    type: PrincipalType;
    /** Name of the service, if it is known. */
    service?: string | null;
    viewer: string;
  },
) {
  if (service !== null) return <>{service}</>;
  if (id === SERVICE_ITSELF) return <>the service itself</>;
  if (id === viewer) return <>you</>;
  return (
    <>
      {WORDS[type]} <code>{id}</code>
    </>
  );
}

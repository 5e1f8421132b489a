/** Name of the principal of an event, as the viewer sees it. */
import { type PrincipalType, systemPrincipal } from "../../domain/principal.ts";

const OWN_PRINCIPAL_ID = systemPrincipal("").id;
const LABELS: Record<PrincipalType, string> = { CUSTOMER: "the customer", STAFF: "staff", SYSTEM: "service" };

/** @param viewer ID of the person who views the page */
export function PrincipalName(
  { id, type, service = null, viewer }: {
    id: string;
    type: PrincipalType;
    /** Name of the service, if it is known. */
    service?: string | null;
    viewer: string;
  },
) {
  if (service !== null) return <>{service}</>;
  if (id === OWN_PRINCIPAL_ID) return <>the service itself</>;
  if (id === viewer) return <>you</>;
  return (
    <>
      {LABELS[type]} <code>{id}</code>
    </>
  );
}

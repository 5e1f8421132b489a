/** Sample customers whose requests a demo service never answers, so that requests are stuck. */
import { SAMPLE_CUSTOMERS } from "./sample_customers.ts";

/** Places in the sample story; the story registers its customers in this order. */
const [OVERDUE, AT_RISK, EXTENDED, REFUSED, ERASING, WAITING, COLLECTING] = [0, 1, 2, 4, 9, 10, 14] as const;

const SILENT: Readonly<Record<string, readonly number[]>> = {
  "order-service": [EXTENDED],
  "payment-service": [OVERDUE, ERASING, COLLECTING],
  "communication-service": [AT_RISK, REFUSED, WAITING],
};

/** Whether the service does not answer for this customer. */
export function isSilent(service: string, customerId: string): boolean {
  return (SILENT[service] ?? []).some((index) => SAMPLE_CUSTOMERS[index]?.id === customerId);
}

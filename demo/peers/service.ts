/** Demo service: returns and anonymizes fictional personal data. */
import { create } from "@bufbuild/protobuf";
import {
  type CollectCustomerDataRequest,
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { type Holding, HOLDINGS } from "./holdings.ts";

export interface DemoService {
  name: string;
  /** Records of a customer after the cursor `resumeAfter`; all records if the cursor is unknown. */
  collect(
    request: Pick<CollectCustomerDataRequest, "customerId" | "storeId" | "resumeAfter">,
  ): CollectCustomerDataResponse[];
  /** Anonymizes the customer's records and returns the evidence. Repetitions return the same evidence. */
  anonymize(customerId: string): string;
}

export function createDemoService(name: string): DemoService {
  const records = new Map(Object.entries(HOLDINGS[name] ?? {}));
  const evidence = new Map<string, string>();
  return {
    name,
    collect({ customerId, storeId, resumeAfter }) {
      const all = (records.get(customerId) ?? []).map((holding, index) => {
        const cursor = `${holding.category} ${index + 1}`;
        return create(CollectCustomerDataResponseSchema, { ...holding, customerId, storeId, cursor });
      });
      return all.slice(all.findIndex(({ cursor }) => cursor === resumeAfter) + 1);
    },
    anonymize(customerId) {
      const text = evidence.get(customerId) ?? `${count(records.get(customerId) ?? [])} anonymized`;
      evidence.set(customerId, text);
      records.delete(customerId);
      return text;
    },
  };
}

/** "2 orders, 1 return" */
function count(holdings: readonly Holding[]): string {
  const counts = [...Map.groupBy(holdings, ({ category }) => category ?? "")]
    .map(([category, { length }]) => `${length} ${category}${length === 1 ? "" : "s"}`);
  return counts.join(", ") || "no records";
}

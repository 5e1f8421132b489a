/** A demonstration service: what it holds about customers, and how it forgets them. */
import { create } from "@bufbuild/protobuf";
import {
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { type Holding, HOLDINGS } from "./holdings.ts";

export interface DemoService {
  name: string;
  /** What is held about a customer behind a cursor; everything behind one that it does not know. */
  collect(customerId: string, resumeAfter?: string): CollectCustomerDataResponse[];
  /** Forgets who the customer is, and gives the evidence: the same one however often it is told. */
  anonymise(customerId: string): string;
}

export function createDemoService(name: string): DemoService {
  const held = new Map(Object.entries(HOLDINGS[name] ?? {}));
  const evidence = new Map<string, string>();
  return {
    name,
    collect(customerId, resumeAfter) {
      const records = (held.get(customerId) ?? []).map((holding, index) =>
        create(CollectCustomerDataResponseSchema, { ...holding, cursor: `${holding.category} ${index + 1}` })
      );
      return records.slice(records.findIndex(({ cursor }) => cursor === resumeAfter) + 1);
    },
    anonymise(customerId) {
      const told = evidence.get(customerId) ?? `${count(held.get(customerId) ?? [])} anonymised`;
      evidence.set(customerId, told);
      held.delete(customerId);
      return told;
    },
  };
}

/** "2 orders, 1 return" */
function count(holdings: readonly Holding[]): string {
  const counts = [...Map.groupBy(holdings, ({ category }) => category ?? "")]
    .map(([category, { length }]) => `${length} ${category}${length === 1 ? "" : "s"}`);
  return counts.join(", ") || "no records";
}

/** Demo service: returns and anonymizes fictional personal data. */
import { create } from "@bufbuild/protobuf";
import {
  type CollectCustomerDataResponse,
  CollectCustomerDataResponseSchema,
} from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import type { ParticipantHash } from "../../actors/gdpr/types.ts";
import { type GuestHashKey, hashEmail } from "./email_hashes.ts";
import { GUEST_HOLDINGS, type Holding, HOLDINGS } from "./holdings.ts";

/** A person, as calls and events name one: with the hashes of every email that the person has had. */
export interface Person {
  customerId: string;
  emailHashes: readonly Pick<ParticipantHash, "keyId" | "hash">[];
}

export interface DemoService {
  name: string;
  /** Records of a person after the cursor `resumeAfter`; all records if the cursor is unknown. */
  collect(
    request: Person & { storeId: string; resumeAfter?: string | undefined },
  ): CollectCustomerDataResponse[];
  /** Anonymizes the person's records and returns the evidence. Repetitions return the same evidence. */
  anonymize(person: Person): string;
}

/** @param keys without them the service finds no rows of guests, who have no customer ID */
export function createDemoService(name: string, keys: readonly GuestHashKey[] = []): DemoService {
  const records = new Map(Object.entries(HOLDINGS[name] ?? {}));
  const guestRecords = new Map(
    Object.entries(GUEST_HOLDINGS[name] ?? {}).flatMap(([email, holdings]) =>
      hashEmail(keys, email).map((hash) => [columnOf(hash), holdings] as const)
    ),
  );
  const evidence = new Map<string, string>();

  /** With several keys a row is found by each of its hashes. */
  function find({ customerId, emailHashes }: Person): Holding[] {
    const ofGuest = emailHashes.flatMap((hash) => guestRecords.get(columnOf(hash)) ?? []);
    return [...new Set([...records.get(customerId) ?? [], ...ofGuest])];
  }

  return {
    name,
    collect({ customerId, emailHashes, storeId, resumeAfter }) {
      const all = find({ customerId, emailHashes }).map((holding, index) => {
        const cursor = `${holding.category} ${index + 1}`;
        return create(CollectCustomerDataResponseSchema, { ...holding, customerId, storeId, cursor });
      });
      return all.slice(all.findIndex(({ cursor }) => cursor === resumeAfter) + 1);
    },
    anonymize(person) {
      const { customerId, emailHashes } = person;
      const text = evidence.get(customerId) ?? `${count(find(person))} anonymized`;
      evidence.set(customerId, text);
      records.delete(customerId);
      for (const hash of emailHashes) guestRecords.delete(columnOf(hash));
      return text;
    },
  };
}

const columnOf = ({ keyId, hash }: ParticipantHash) => `${keyId} ${hash}`;

/** "2 orders, 1 return" */
function count(holdings: readonly Holding[]): string {
  const counts = [...Map.groupBy(holdings, ({ category }) => category ?? "")]
    .map(([category, { length }]) => `${length} ${category}${length === 1 ? "" : "s"}`);
  return counts.join(", ") || "no records";
}

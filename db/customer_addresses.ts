/** Rows of the address books. */
import type { Tx } from "./connect.ts";
import { erasedValuesOf } from "./personal_data.ts";

/** Fields of an address; null where a field may be empty. */
export interface AddressValues {
  line1: string;
  line2: string | null;
  city: string;
  state: string | null;
  country: string;
  postalCode: string | null;
  isDefaultShipping: boolean;
  isDefaultBilling: boolean;
}

/** Empties every address of an erased customer and keeps the rows. */
export async function eraseAddresses(tx: Tx, storeId: string, customerId: string, at: Date): Promise<void> {
  await tx`
    update customer_addresses set ${tx({ ...erasedValuesOf("customer_addresses"), updatedAt: at })}
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

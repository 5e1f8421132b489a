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

/** Returns undefined where this customer has no such address. The customer's lock covers its addresses. */
export async function findAddress(
  tx: Tx,
  storeId: string,
  customerId: string,
  addressId: string,
): Promise<AddressValues | undefined> {
  const [row] = await tx<AddressValues[]>`
    select line1, line2, city, state, country, postal_code, is_default_shipping, is_default_billing
    from customer_addresses
    where store_id = ${storeId} and customer_id = ${customerId} and address_id = ${addressId}`;
  return row;
}

export interface AddressKey {
  storeId: string;
  customerId: string;
  addressId: string;
}

export async function insertAddress(
  tx: Tx,
  key: AddressKey,
  values: AddressValues,
  at: Date,
): Promise<void> {
  await clearDefaults(tx, key, values);
  const row = { ...key, ...values, createdAt: at, updatedAt: at };
  await tx`insert into customer_addresses ${tx(row)}`;
}

export async function updateAddress(
  tx: Tx,
  key: AddressKey,
  changes: Partial<AddressValues>,
  at: Date,
): Promise<void> {
  await clearDefaults(tx, key, changes);
  const { storeId, addressId } = key;
  await tx`
    update customer_addresses set ${tx({ ...changes, updatedAt: at })}
    where store_id = ${storeId} and address_id = ${addressId}`;
}

export async function deleteAddress(tx: Tx, storeId: string, addressId: string): Promise<void> {
  await tx`delete from customer_addresses where store_id = ${storeId} and address_id = ${addressId}`;
}

/** Empties every address of an erased customer and keeps the rows. */
export async function eraseAddresses(tx: Tx, storeId: string, customerId: string, at: Date): Promise<void> {
  await tx`
    update customer_addresses set ${tx({ ...erasedValuesOf("customer_addresses"), updatedAt: at })}
    where store_id = ${storeId} and customer_id = ${customerId}`;
}

/** Clears a default from the address that has it, before another address gets it. */
async function clearDefaults(
  tx: Tx,
  { storeId, customerId }: AddressKey,
  { isDefaultShipping, isDefaultBilling }: Partial<AddressValues>,
): Promise<void> {
  if (isDefaultShipping) {
    await tx`
      update customer_addresses set is_default_shipping = false
      where store_id = ${storeId} and customer_id = ${customerId} and is_default_shipping`;
  }
  if (isDefaultBilling) {
    await tx`
      update customer_addresses set is_default_billing = false
      where store_id = ${storeId} and customer_id = ${customerId} and is_default_billing`;
  }
}

/** Ids of the data that development starts with: the calls which the service prints are about them. */

export const DEMO = {
  storeId: "0190a000-0000-7000-8000-000000000001",
  customerId: "0190a000-0000-7000-8000-0000000000a1",
  secondCustomerId: "0190a000-0000-7000-8000-0000000000a2",
  groupIds: ["0190a000-0000-7000-8000-0000000000b1", "0190a000-0000-7000-8000-0000000000b2"],
  priceListIds: ["0190a000-0000-7000-8000-0000000000c1", "0190a000-0000-7000-8000-0000000000c2"],
  staffId: "0190a000-0000-7000-8000-0000000000d1",
} as const;

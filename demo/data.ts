/** Base of the demo data: a store with settings, two shoppers and two groups. All values are fictional. */
import { DomainError } from "../domain/errors.ts";
import { systemPrincipal } from "../domain/principal.ts";
import type { ActorKind, Actors } from "../actors/commands.ts";
import { newTraceparent } from "../lib/trace_context.ts";
import type { Lookups } from "../db/lookups.ts";
import { DEMO } from "./ids.ts";

const CUSTOMERS = [
  {
    id: DEMO.customerId,
    profile: {
      email: "mina.keller@shop.example",
      firstName: "Mina",
      lastName: "Keller",
      phone: "+41445550123",
      locale: "de-CH",
    },
    address: { line1: "Musterweg 7", city: "Zürich", postalCode: "8004", country: "CH" },
  },
  {
    id: DEMO.secondCustomerId,
    profile: { email: "tom.berg@shop.example", firstName: "Tom", lastName: "Berg", locale: "en-GB" },
    address: {
      line1: "3 Sample Street",
      line2: "Flat 2",
      city: "Leeds",
      postalCode: "LS1 4AP",
      country: "GB",
    },
  },
];

const GROUPS = [
  { name: "Members", priority: 10 },
  { name: "Wholesale", priority: 20 },
];

/** Enough for documents; what else they lack is shown on the page of the settings. */
const SETTINGS = {
  name: "Demo store",
  controller: { name: "Demo store Ltd (fictional)", address: "Musterweg 1, 8004 Zürich, Switzerland" },
  dataProtectionContact: "privacy@shop.example",
  timeZone: "Europe/Zurich",
};

/**
 * Creates missing data by commands. The first customer is created last, so its existence means completion.
 *
 * @returns whether data were missing
 */
export async function loadDemoData(actors: Actors, lookups: Lookups): Promise<boolean> {
  const { storeId } = DEMO;
  if (await lookups.findCustomer({ storeId, customerId: DEMO.customerId })) return false;

  const context = { by: systemPrincipal(storeId), traceparent: newTraceparent() };
  const send = async (kind: ActorKind, id: string, type: string, fields: object) => {
    await actors.sendUnchecked({ kind, storeId, id }, { type, ...fields }, context).catch((error) => {
      // An earlier start was interrupted after this one.
      if (!(error instanceof DomainError) || error.code !== "ALREADY_EXISTS") throw error;
    });
  };
  await send("store_settings", storeId, "settings.change", SETTINGS);
  for (const [at, group] of GROUPS.entries()) {
    await send("shopper_group", DEMO.groupIds[at] ?? "", "group.create", {
      ...group,
      priceListId: DEMO.priceListIds[at],
    });
  }
  for (const { id, profile, address } of CUSTOMERS.toReversed()) {
    await send("customer", id, "register", profile);
    await send("customer", id, "address.add", {
      ...address,
      isDefaultShipping: true,
      isDefaultBilling: true,
    });
    for (const groupId of id === DEMO.customerId ? DEMO.groupIds : []) {
      await send("customer", id, "group.assign", { groupId });
    }
  }
  return true;
}

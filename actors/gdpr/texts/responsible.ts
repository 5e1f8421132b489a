/** Facts about who is responsible for the data, as the documents of a store name them. */
import type { StoreSettings } from "../../../domain/store_settings.ts";
import type { Texts } from "./texts.ts";

/** Returns those facts that the settings state, the controller first. */
export function responsibleFacts(
  { texts: { facts }, settings: { controller, dataProtectionContact } }: {
    texts: Pick<Texts, "facts">;
    settings: Pick<StoreSettings, "controller" | "dataProtectionContact">;
  },
): (readonly [name: string, text: string])[] {
  return [
    ...(controller ? [[facts.controller, `${controller.name}, ${controller.address}`] as const] : []),
    ...(dataProtectionContact ? [[facts.dataProtectionContact, dataProtectionContact] as const] : []),
  ];
}

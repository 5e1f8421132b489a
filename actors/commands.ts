/** The commands of every kind of actor in this service. */
import type { CustomerCommand } from "./customers/customer_behavior.ts";
import type { ShopperGroupCommand } from "./customers/shopper_group_behavior.ts";
import type { NoticeCommand } from "./gdpr/notices/notice_behavior.ts";
import type { RequestCommand } from "./gdpr/requests/commands.ts";
import type { SettingsCommand } from "./stores/settings_behavior.ts";
import type * as effects from "./runtime/effects.ts";
import type * as runtime from "./runtime/protocol.ts";

/** Commands by the kind of actor that takes them. */
export type Commands = {
  customer: CustomerCommand;
  shopper_group: ShopperGroupCommand;
  gdpr_request: RequestCommand;
  gdpr_notice: NoticeCommand;
  store_settings: SettingsCommand;
};

export type ActorKind = runtime.KindOf<Commands>;
export type ActorRef<Kind extends ActorKind = ActorKind> = runtime.ActorRef<Kind>;
export type NewActorRef<Kind extends ActorKind = ActorKind> = runtime.NewActorRef<Kind>;
export type Actors = runtime.Actors<Commands>;
export type Performer = effects.Performer<Commands>;

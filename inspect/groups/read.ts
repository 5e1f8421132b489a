/** Reads a group with the number of its members. */
import { countMembers, findShopperGroup, type ShopperGroup } from "../../db/shopper_groups.ts";
import type { ReadSql } from "../../db/store_reader.ts";

export interface GroupReading {
  group: ShopperGroup;
  memberCount: number;
}

export async function readGroup(
  sql: ReadSql,
  storeId: string,
  groupId: string,
): Promise<GroupReading | undefined> {
  const [group, members] = await Promise.all([
    findShopperGroup(sql, storeId, groupId),
    countMembers(sql, storeId, [groupId]),
  ]);
  return group && { group, memberCount: members.get(groupId) ?? 0 };
}

/** Changes with the group and with the number of its members. */
export function fingerprintOf(reading: GroupReading | undefined): string {
  return reading ? `${reading.group.version} ${reading.memberCount}` : "";
}

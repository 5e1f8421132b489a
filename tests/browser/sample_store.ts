/** Store in which the sample story was played: five weeks of requests, in every situation that needs an officer. */
import { isSilent } from "../../demo/silence.ts";
import { DAY } from "../../demo/stage.ts";
import { playStory, type Story } from "../../demo/story.ts";
import { openInspectedStore, sendOneRecord, type Store, type StoreOptions } from "./store.ts";

export type SampleStore = Store & Story;

export async function openSampleStore(options: StoreOptions = {}): Promise<SampleStore> {
  const store = await openInspectedStore({
    graceMs: 3 * DAY,
    ...options,
    answer: (service, call) =>
      isSilent(service, call.request.customerId)
        ? call.fail("UNAVAILABLE", "away")
        : sendOneRecord(service, call),
  });
  return { ...store, ...await playStory(store) };
}

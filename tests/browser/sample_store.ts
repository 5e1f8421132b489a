/** Store in which the sample story was played: five weeks of requests, in every situation that needs an officer. */
import { isSilent } from "../../demo/silence.ts";
import { playStory, type Story, STORY_GRACE_MS } from "../../demo/story.ts";
import { openInspectedStore, sendOneRecord, type Store, type StoreOptions } from "./store.ts";

export type SampleStore = Store & Story;

export async function openSampleStore(options: StoreOptions = {}): Promise<SampleStore> {
  const store = await openInspectedStore({
    graceMs: STORY_GRACE_MS,
    ...options,
    answer: (service, call) =>
      isSilent(service, call.request.customerId)
        ? call.fail("UNAVAILABLE", "away")
        : sendOneRecord(service, call),
  });
  return { ...store, ...await playStory(store) };
}

/** Status line at the top of a request's page. */
import { Instant } from "../page.tsx";
import type { Words } from "../waits.ts";
import { describeStatus } from "./status_text.ts";
import type { RequestStatus } from "./status.ts";

export function StatusLine({ status }: { status: RequestStatus }) {
  const { words, tone } = describeStatus(status);
  return (
    <p class={`situation ${tone}`} data-tone={tone}>
      <WordsText words={words} />
    </p>
  );
}

export function WordsText({ words }: { words: Words }) {
  return (
    <>
      {words.map((word) =>
        typeof word === "string"
          ? word
          : word instanceof Date
          ? <Instant at={word} />
          : <bdi>{word.quote}</bdi>
      )}
    </>
  );
}

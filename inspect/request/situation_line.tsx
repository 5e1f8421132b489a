/** The line on top of a request's page. */
import { Instant } from "../page.tsx";
import { situationOf } from "./situation.ts";
import type { Standing } from "./standing.ts";

export function Situation({ standing }: { standing: Standing }) {
  const { words, tone } = situationOf(standing);
  return (
    <p class={`situation ${tone}`} data-tone={tone}>
      {words.map((word) =>
        typeof word === "string"
          ? word
          : word instanceof Date
          ? <Instant at={word} />
          : <bdi>{word.said}</bdi>
      )}
    </p>
  );
}

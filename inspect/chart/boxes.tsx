/** States as boxes. */
import { tipOf } from "./arrows.tsx";
import type { Box, Layout } from "./layout.ts";
import { CHIP, HEAD, LINE, listSize, MARGIN, wordsOf } from "./measures.ts";
import type { State } from "./model.ts";
import { classesOf, countOf, lastLeaf, standingOf, timesTaken } from "./standing.ts";
import { shortened } from "./text.ts";
import type { Trail } from "./trail.ts";

export function StateBox({ box, trail }: { box: Box; trail: Trail }) {
  const { state, lines, x, y, width, height } = box;
  const group = state.children.length > 0;
  const round = group ? 12 : 9;
  const standing = standingOf(state, trail);
  return (
    <g class={classesOf(state, trail)} data-state={state.id} data-standing={standing}>
      <title>{toolTip(state, standing)}</title>
      <rect class="frame" x={x} y={y} width={width} height={height} rx={round} />
      {state.type === "final" && (
        <rect class="inner" x={x + 4} y={y + 4} width={width - 8} height={height - 8} rx={round - 3} />
      )}
      <text
        class="name"
        x={group ? x + MARGIN : x + width / 2}
        y={y + HEAD / 2 + 5}
        text-anchor={group ? "start" : "middle"}
      >
        {state.type === "history" ? "H" : shortened(state.label)}
      </text>
      {lines.length > 0 && <path class="rule" d={`M${x} ${y + HEAD}h${width}`} />}
      {lines.map((line, index) => {
        const times = timesTaken(line, trail);
        return (
          <text
            class={times > 0 ? "line taken" : "line"}
            data-transition={line.id}
            x={x + MARGIN}
            y={y + HEAD + LINE * (index + 1) - 1}
          >
            <title>{tipOf(line, trail)}</title>
            ↻ {wordsOf(line)}
            {times > 1 && ` ×${times}`}
          </text>
        );
      })}
      {standing === "current" && <Now box={box} trail={trail} />}
    </g>
  );
}

/** Says in a word what the colour says. */
function Now({ box: { state, x, y, width }, trail }: { box: Box; trail: Trail }) {
  const word = state.type === "final" ? "done" : "now";
  const words = state.stands.length > 1 ? `${countOf(state, trail)} ${word}` : word;
  const wide = 14 + words.length * 7;
  return (
    <g class="now">
      <rect x={x + width + 10 - wide} y={y - 11} width={wide} height={17} rx={8.5} />
      <text x={x + width + 10 - wide / 2} y={y + 1.5} text-anchor="middle">{words}</text>
    </g>
  );
}

/** Regions that are alike, each by its name and where it is. */
export function RegionList({ list, trail }: { list: Layout["lists"][number]; trail: Trail }) {
  const { state, x, y, width } = list;
  const { columns } = listSize(state.alike);
  const chip = (width + CHIP.gap) / columns - CHIP.gap;
  return (
    <g class="regions">
      {state.alike.map((region, index) => {
        const left = x + (index % columns) * (chip + CHIP.gap);
        const top = y + Math.floor(index / columns) * (CHIP.height + CHIP.gap);
        const leaf = lastLeaf(region, trail);
        const done = leaf?.type === "final";
        const standing = standingOf(region, trail);
        return (
          <g
            class={`region ${leaf ? classesOf(leaf, trail) : "state never"}`}
            data-region={region.id}
            data-standing={standing}
            data-leaf={leaf?.id}
          >
            <title>{region.key}</title>
            <rect class="frame" x={left} y={top} width={chip} height={CHIP.height} rx={9} />
            <text class="sign" x={left + 18} y={top + 26} text-anchor="middle">
              {done ? "✓" : leaf ? "●" : "○"}
            </text>
            <text class="name" x={left + 34} y={top + 18}>{shortened(region.label, 24)}</text>
            <text class="line" x={left + 34} y={top + 33}>{leaf ? leaf.label : "Not begun"}</text>
          </g>
        );
      })}
    </g>
  );
}

const STANDING_WORDS = {
  current: "now here",
  open: "now inside",
  visited: "was here",
  never: "never reached",
};

function toolTip({ key, label, description }: State, standing: keyof typeof STANDING_WORDS): string {
  return `${label} (${key}): ${STANDING_WORDS[standing]}${description ? `. ${description}` : ""}`;
}

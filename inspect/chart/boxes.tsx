/** States as boxes. */
import { transitionTooltip } from "./arrows.tsx";
import type { Box, Layout } from "./layout.ts";
import {
  foldedLabel,
  HEAD,
  LINE,
  linePlaces,
  listSize,
  MARGIN,
  REGION,
  transitionLabel,
} from "./measures.ts";
import type { State } from "./model.ts";
import { classesOf, countCurrent, lastLeaf, nodeStatus, timesTaken } from "./node_status.ts";
import { truncate } from "./text_width.ts";
import type { TakenPath } from "./path.ts";

export function StateBox({ box, path }: { box: Box; path: TakenPath }) {
  const { state, lines, x, y, width, height } = box;
  const group = state.children.length > 0;
  const round = group ? 12 : 9;
  const status = nodeStatus(state, path);
  const places = linePlaces(state, lines);
  const inside = foldedLabel(state);
  return (
    <g class={classesOf(state, path)} data-state={state.id} data-status={status}>
      <title>{stateTooltip(state, status)}</title>
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
        {state.type === "history" ? "H" : truncate(state.label)}
      </text>
      {lines.length > 0 && <path class="rule" d={`M${x} ${y + HEAD}h${width}`} />}
      {lines.map((line, index) => {
        const times = timesTaken(line, path);
        return (
          <text
            class={times > 0 ? "line taken" : "line"}
            data-transition={line.id}
            x={x + MARGIN + places[index]!.x}
            y={y + HEAD + LINE - 1 + places[index]!.y}
          >
            <title>{transitionTooltip(line, path)}</title>
            ↻ {transitionLabel(line)}
            {times > 1 && ` ×${times}`}
          </text>
        );
      })}
      {inside !== "" && (
        <text class="line" x={x + width / 2} y={y + height - 9} text-anchor="middle">{inside}</text>
      )}
      {status === "current" && <Now box={box} path={path} />}
    </g>
  );
}

/** Badge that states the current status as text, in addition to the color. */
function Now({ box: { state, x, y, width }, path }: { box: Box; path: TakenPath }) {
  const word = state.type === "final" ? "done" : "now";
  const words = state.representedIds.length > 1 ? `${countCurrent(state, path)} ${word}` : word;
  const wide = 14 + words.length * 7;
  return (
    <g class="now">
      <rect x={x + width + 10 - wide} y={y - 11} width={wide} height={17} rx={8.5} />
      <text x={x + width + 10 - wide / 2} y={y + 1.5} text-anchor="middle">{words}</text>
    </g>
  );
}

/** Merged regions as a list, each with its name and its current state. */
export function RegionList({ list, path }: { list: Layout["lists"][number]; path: TakenPath }) {
  const { state, x, y, width } = list;
  const { columns } = listSize(state.mergedRegions);
  const chip = (width + REGION.gap) / columns - REGION.gap;
  return (
    <g class="regions">
      {state.mergedRegions.map((region, index) => {
        const left = x + (index % columns) * (chip + REGION.gap);
        const top = y + Math.floor(index / columns) * (REGION.height + REGION.gap);
        const leaf = lastLeaf(region, path);
        const done = leaf?.type === "final";
        const status = nodeStatus(region, path);
        return (
          <g
            class={`region ${leaf ? classesOf(leaf, path) : "state never"}`}
            data-region={region.id}
            data-status={status}
            data-leaf={leaf?.id}
          >
            <title>{region.key}</title>
            <rect class="frame" x={left} y={top} width={chip} height={REGION.height} rx={9} />
            <text class="sign" x={left + 18} y={top + 26} text-anchor="middle">
              {done ? "✓" : leaf ? "●" : "○"}
            </text>
            <text class="name" x={left + 34} y={top + 18}>{truncate(region.label, 24)}</text>
            <text class="line" x={left + 34} y={top + 33}>{leaf ? leaf.label : "Not started"}</text>
          </g>
        );
      })}
    </g>
  );
}

const STATUS_LABELS = {
  current: "current",
  open: "contains the current state",
  visited: "visited",
  never: "never reached",
};

function stateTooltip({ key, label, description }: State, status: keyof typeof STATUS_LABELS): string {
  return `${label} (${key}): ${STATUS_LABELS[status]}${description ? `. ${description}` : ""}`;
}

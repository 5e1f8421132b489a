/** Layout of charts: positions of boxes, arrows and labels. */
import assert from "node:assert/strict";
import elkjs from "elkjs";
import { createMachine } from "xstate";
import { condense } from "../../inspect/chart/condense.ts";
import { fromMachine } from "../../inspect/chart/from_machine.ts";
import { type Layout, layOut, type Point, type Rectangle } from "../../inspect/chart/layout.ts";
import { HEAD, SMALL, transitionLabel } from "../../inspect/chart/measures.ts";
import { everyState, parentsIn } from "../../inspect/chart/model.ts";
import { textWidth } from "../../inspect/chart/text_width.ts";
import { SUBJECTS } from "./chart_subjects.ts";

/** Machine with the features of XState that our machines do not use. */
const UNUSUAL = createMachine({
  id: "odd",
  initial: "one",
  on: { RESET: ".one", "log.*": {} },
  states: {
    one: {
      on: { GO: ["two.b", { target: "two" }], OUT: { target: "#odd", reenter: true } },
      after: { 90_000: "two" },
    },
    two: {
      initial: "a",
      history: "deep",
      onDone: "three",
      on: { IN: ".b", BACK: "two.past" },
      states: { a: { on: { "*": "b" } }, b: { type: "final" }, past: { type: "history" } },
    },
    three: {
      type: "parallel",
      states: {
        left: { initial: "x", states: { x: { on: { ACROSS: "#y2", OUT: "#one" } }, x2: {} } },
        right: { initial: "y", states: { y: {}, y2: { id: "y2" } } },
        plain: {},
      },
    },
    one_more: { id: "one" },
  },
} as never);

const machines = [...SUBJECTS, { title: "a machine with every feature", machine: UNUSUAL }];

const elk = new elkjs.default();
const layouts = new Map<unknown, ReturnType<typeof layOutMachine>>();

async function layOutMachine(machine: typeof UNUSUAL) {
  const model = condense(fromMachine(machine));
  return { model, layout: await layOut(model, (graph) => elk.layout(graph)) };
}

/** The layout of a machine, which its tests share. */
function layoutOf(machine: typeof UNUSUAL): ReturnType<typeof layOutMachine> {
  const found = layouts.get(machine) ?? layOutMachine(machine);
  layouts.set(machine, found);
  return found;
}

for (const { title, machine } of machines) {
  Deno.test(`${title}: boxes are inside their parents and do not overlap their siblings`, async () => {
    const { model, layout } = await layoutOf(machine as typeof UNUSUAL);
    const parents = parentsIn(model.root);
    const places = placesOf(layout);
    for (const [id, box] of places) {
      assert.ok(box.width > 0 && box.height > 0, id);
      assert.ok(
        isInside(box, { x: 0, y: 0, width: layout.width, height: layout.height }),
        `${id} is outside of the page`,
      );
      const parent = places.get(parents.get(id)?.id ?? "");
      if (parent) {
        assert.ok(isInside(box, parent), `${id} is outside of ${parents.get(id)?.id}`);
        assert.ok(box.y >= parent.y + HEAD, `${id} overlaps the name of ${parents.get(id)?.id}`);
      }
      for (const [other, otherBox] of places) {
        if (id === other || parents.get(id) !== parents.get(other)) continue;
        assert.ok(!overlap(box, otherBox), `${id} overlaps ${other}`);
      }
    }
    for (const list of layout.lists) {
      assert.ok(isInside(list, places.get(parents.get(list.state.id)!.id)!));
      for (const sibling of parents.get(list.state.id)!.children) {
        assert.ok(!overlap(list, places.get(sibling.id)!), sibling.id);
      }
    }
  });

  Deno.test(`${title}: labels of arrows overlap neither each other nor a state`, async () => {
    const { layout } = await layoutOf(machine as typeof UNUSUAL);
    const labels = layout.arrows.flatMap(({ label }) => label ?? []);
    const leaves = layout.boxes.filter(({ state }) => state.children.length === 0);
    for (const { arrow, label } of layout.arrows) {
      if (!label) continue;
      assert.ok(label.height >= arrow.labeled.length * SMALL, "too low for its lines");
      for (const transition of arrow.labeled) {
        assert.ok(label.width >= textWidth(transitionLabel(transition), SMALL, "bold"));
      }
    }
    labels.forEach((label, index) => {
      for (const other of labels.slice(index + 1)) assert.ok(!overlap(label, other));
      for (const leaf of leaves) assert.ok(!overlap(label, leaf), leaf.state.id);
    });
  });

  Deno.test(`${title}: an arrow has only right angles, and connects the borders of two states`, async () => {
    const { model, layout } = await layoutOf(machine as typeof UNUSUAL);
    const places = placesOf(layout);
    for (const { arrow, points } of layout.arrows) {
      assert.ok(points.length >= 2, arrow.id);
      const [first, last] = [points[0]!, points.at(-1)!];
      const source = places.get(arrow.source);
      if (source) assert.ok(isOnBorder(first, source), `start of ${arrow.id}`);
      assert.ok(isOnBorder(last, places.get(arrow.target)!), `end of ${arrow.id}`);
      points.slice(1).forEach((point, index) => {
        const before = points[index]!;
        assert.ok(Math.abs(point.x - before.x) < 0.1 || Math.abs(point.y - before.y) < 0.1, arrow.id);
      });
    }
    const drawn = [
      ...layout.arrows.flatMap(({ arrow }) => arrow.labeled),
      ...layout.boxes.flatMap(({ lines }) => lines),
    ];
    assert.deepEqual(drawn.map(({ id }) => id).sort(), model.transitions.map(({ id }) => id).sort());
  });

  Deno.test(`${title}: the layout is deterministic`, async () => {
    const other = new elkjs.default();
    const model = condense(fromMachine(machine));
    const { layout } = await layoutOf(machine as typeof UNUSUAL);
    assert.deepEqual(await layOut(model, (graph) => other.layout(graph)), layout);
  });
}

Deno.test("identical regions share one box, and different regions have one each", () => {
  const boxesOf = (machine: typeof UNUSUAL) => {
    const [parallel] = [...everyState(condense(fromMachine(machine)).root)].filter(({ type }) =>
      type === "parallel"
    );
    return parallel!.children.length;
  };
  const { machine } = SUBJECTS.find(({ title }) => title === "gdpr_erasure@1 with 3")!;
  assert.deepEqual([boxesOf(machine as typeof UNUSUAL), boxesOf(UNUSUAL)], [1, 3]);
});

function placesOf({ boxes }: Layout): Map<string, Rectangle> {
  return new Map(boxes.map((box) => [box.state.id, box] as const));
}

function isInside(inner: Rectangle, outer: Rectangle): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width + 0.1 &&
    inner.y + inner.height <= outer.y + outer.height + 0.1;
}

function overlap(one: Rectangle, other: Rectangle): boolean {
  return one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height &&
    other.y < one.y + one.height;
}

function isOnBorder({ x, y }: Point, box: Rectangle): boolean {
  const near = (one: number, other: number) => Math.abs(one - other) < 0.6;
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  const across = x >= box.x - 0.6 && x <= right + 0.6;
  const along = y >= box.y - 0.6 && y <= bottom + 0.6;
  return (across && (near(y, box.y) || near(y, bottom))) || (along && (near(x, box.x) || near(x, right)));
}

/** Pure transitions of a machine that also return which of its transitions XState took. */
import {
  type ActorScope,
  type AnyActor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyTransitionDefinition,
  createActor,
  type EventObject,
} from "xstate";
import type { RecordedAction } from "./recorded_event.ts";

/** The result of one event: the next snapshot, the actions to carry out, and the way there. */
export interface Transitioned {
  snapshot: AnyMachineSnapshot;
  actions: RecordedAction[];
  /** Names of the transitions in the order in which XState took them, those without an event included. */
  transitions: string[];
}

/** Like XState's `initialTransition`. Entering the initial states is no transition. */
export function initialTransition(machine: AnyStateMachine, input: unknown): Transitioned {
  return observe(machine, (scope) => machine.getInitialSnapshot(scope, input));
}

/** Like XState's `transition`. */
export function transition(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): Transitioned {
  return observe(machine, (scope) => machine.transition(snapshot, event, scope));
}

/**
 * The name of a transition in the journal: the paths of its source and its targets, as in
 * `PENDING.grace -> IN_PROGRESS`. A transition without a target has its source alone; the path of the whole machine
 * is the machine's ID. Transitions for different events may share a name.
 */
export function transitionName({ source, target = [] }: AnyTransitionDefinition): string {
  const targets = target.map(pathOf).join(", ");
  return targets === "" ? pathOf(source) : `${pathOf(source)} -> ${targets}`;
}

function pathOf({ path, id }: AnyTransitionDefinition["source"]): string {
  return path.join(".") || id;
}

type Scope = ActorScope<AnyMachineSnapshot, EventObject>;

/**
 * XState reports the transitions of each microstep to inspectors only, so this builds the scope that its own pure
 * functions build, with an inspector added.
 */
function observe(machine: AnyStateMachine, run: (scope: Scope) => AnyMachineSnapshot): Transitioned {
  const actions: RecordedAction[] = [];
  const transitions: string[] = [];
  const self = actorOf(machine);
  const inspecting = self.system.inspect((inspected) => {
    if (inspected.type !== "@xstate.microstep") return;
    transitions.push(...inspected._transitions.map(transitionName));
  });
  const nothing = () => {};
  try {
    const snapshot = run({
      self,
      id: "",
      sessionId: "",
      system: self.system,
      logger: nothing,
      defer: nothing,
      emit: nothing,
      stopChild: nothing,
      actionExecutor: ({ type, params }) => actions.push({ type, params }),
    });
    return { snapshot, actions, transitions };
  } finally {
    inspecting.unsubscribe();
  }
}

const actors = new WeakMap<AnyStateMachine, AnyActor>();

/** The actor of a machine's scope. It is never started and keeps no state, so all transitions of a machine share it. */
function actorOf(machine: AnyStateMachine): AnyActor {
  let actor = actors.get(machine);
  if (!actor) actors.set(machine, actor = createActor(machine));
  return actor;
}

/** Cost of a selection, computed before validation. */
import { type DefinitionNode, type FieldNode, Kind, type SelectionSetNode } from "graphql";

const [FIELD, OBJECT, FRAGMENT, LEVEL] = [1, 2, 1, 1.5];

/**
 * Returns functions for the cost of a selection, and for that of the fragments which no selection so far has
 * spread. Objects count 2, other fields and fragments 1, and each level 1.5 times its content, wherever a
 * fragment is spread. Takes time linear in the document.
 *
 * @param counts whether a field counts at all
 */
export function createCosts(
  definitions: readonly DefinitionNode[],
  counts: (field: FieldNode) => boolean = () => true,
) {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition.selectionSet);
    }
  }
  const known = new Map<string, number>();

  function costOfFragment(name: string): number {
    const cost = known.get(name);
    if (cost !== undefined) return cost;
    known.set(name, 0); // validation refuses a fragment that spreads itself
    const selections = fragments.get(name);
    const fragmentCost = selections ? costOf(selections) : 0;
    known.set(name, fragmentCost);
    return fragmentCost;
  }

  function costOf({ selections }: SelectionSetNode): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) cost += FRAGMENT + costOfFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) cost += FRAGMENT + costOf(selection.selectionSet);
      else if (counts(selection)) {
        cost += selection.selectionSet ? OBJECT + LEVEL * costOf(selection.selectionSet) : FIELD;
      }
    }
    return cost;
  }

  function costOfUnused(): number {
    let cost = 0;
    for (const name of fragments.keys()) if (!known.has(name)) cost += costOfFragment(name);
    return cost;
  }

  return { costOf, costOfUnused };
}

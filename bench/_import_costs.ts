/**
 * Process that imports modules one after the other, dependencies first, and prints the milliseconds of each as JSON:
 * `_import_costs.ts` with a file of module URLs, one a line. A module that was imported before costs nothing.
 */
const modules = (await Deno.readTextFile(Deno.args[0] ?? "")).trim().split("\n");
const costs: number[] = [];
for (const module of modules) {
  const from = performance.now();
  await import(module);
  costs.push(performance.now() - from);
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(costs)));
Deno.exit();

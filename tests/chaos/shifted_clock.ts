/** Module that a replica evaluates first: its clock differs by the milliseconds in CHAOS_CLOCK_SHIFT_MS. */
const ms = Number(Deno.env.get("CHAOS_CLOCK_SHIFT_MS") ?? 0);
const Real = Date;
globalThis.Date = new Proxy(Real, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [target.now() + ms], newTarget),
  get: (target, name) => name === "now" ? () => target.now() + ms : Reflect.get(target, name),
});

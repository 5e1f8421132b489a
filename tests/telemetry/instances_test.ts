/** How the processes of one parent are told apart. */
import assert from "node:assert/strict";
import { numberInstances } from "../../telemetry/instances.ts";

Deno.test("instances have an id that nobody else has, and what their parent was given", () => {
  const [here, there] = [numberInstances(), numberInstances("service.namespace=shop, deployment.ring=2")];
  const ids = [here(1), here(2), there(1), there(2)].map((attributes) =>
    attributes.match(/service\.instance\.id=([0-9a-f-]{36}-[12])$/)?.[1]
  );
  assert.equal(new Set(ids).size, 4);
  assert.ok(!ids.includes(undefined));
  assert.equal(here(1), here(1));
  assert.match(there(1), /^service\.namespace=shop,deployment\.ring=2,service\.instance\.id=/);
});

Deno.test("an id that their parent was given becomes the beginning of theirs", () => {
  const attributesOf = numberInstances("service.instance.id=pod-a,,service.namespace=shop");
  assert.equal(attributesOf(2), "service.namespace=shop,service.instance.id=pod-a-2");
});

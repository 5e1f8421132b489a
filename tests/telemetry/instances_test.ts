/** Instance IDs of worker processes. */
import assert from "node:assert/strict";
import { instanceAttributes } from "../../telemetry/instances.ts";

Deno.test("instances have a unique ID and their parent's attributes", () => {
  const [here, there] = [
    instanceAttributes(),
    instanceAttributes("service.namespace=shop, deployment.ring=2"),
  ];
  const ids = [here(1), here(2), there(1), there(2)].map((attributes) =>
    attributes.match(/service\.instance\.id=([0-9a-f-]{36}-[12])$/)?.[1]
  );
  assert.equal(new Set(ids).size, 4);
  assert.ok(!ids.includes(undefined));
  assert.equal(here(1), here(1));
  assert.match(there(1), /^service\.namespace=shop,deployment\.ring=2,service\.instance\.id=/);
});

Deno.test("the parent's instance ID becomes the prefix of the workers' IDs", () => {
  const attributesOf = instanceAttributes("service.instance.id=pod-a,,service.namespace=shop");
  assert.equal(attributesOf(2), "service.namespace=shop,service.instance.id=pod-a-2");
});

import assert from "node:assert/strict";
import { tour, type TourOptions } from "../demo/tour.ts";

const OPTIONS: TourOptions = {
  bind: "127.0.0.1",
  httpPort: 4000,
  grpcPort: 50051,
  signInCode: "c0de",
  database: "",
  events: "",
  hasDemoData: true,
  variables: {},
};

Deno.test("the addresses in the tour reach the service on any bind address", () => {
  const hosts = {
    "127.0.0.1": "127.0.0.1",
    "0.0.0.0": "127.0.0.1",
    "localhost": "localhost",
    "::1": "[::1]",
    "::": "[::1]",
  };
  for (const [bind, host] of Object.entries(hosts)) {
    const urls: string[] = tour({ ...OPTIONS, bind }).match(/http:\/\/\S+/g) ?? [];
    assert.deepEqual([...new Set(urls.map((url) => new URL(url).hostname))], [host]);
    assert.ok(urls.includes(`http://${host}:4000/inspect/sign-in?code=c0de`));
  }
});

Deno.test("the tour is short, and its calls name the variables that differ from the defaults", () => {
  const usual = tour(OPTIONS);
  assert.ok(usual.split("\n").length <= 20);
  assert.ok(usual.split("\n").every((line) => line.length <= 100));
  assert.doesNotMatch(usual, /export/);
  const other = tour({ ...OPTIONS, variables: { HTTP_PORT: "4711", DATA_DIR: "it's here" } });
  assert.match(other, /^export HTTP_PORT=4711 DATA_DIR='it'\\''s here'$/m);
});

Deno.test("the tour has no calls about demo data where there are none", () => {
  assert.doesNotMatch(tour({ ...OPTIONS, hasDemoData: false }), /^\.\/cs/m);
});

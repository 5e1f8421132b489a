/** RFC 7541, appendices C.4 and C.6: three header blocks of one connection each, with Huffman coding. */
import assert from "node:assert/strict";
import { hpackReader } from "./hpack_reader.ts";

Deno.test("header blocks of a connection are read with the entries of earlier ones", () => {
  const read = hpackReader();
  const request = [[":method", "GET"], [":scheme", "http"], [":path", "/"], [
    ":authority",
    "www.example.com",
  ]];
  assert.deepEqual(read(Uint8Array.fromHex("828684418cf1e3c2e5f23a6ba0ab90f4ff")), request);
  assert.deepEqual(read(Uint8Array.fromHex("828684be5886a8eb10649cbf")), [
    ...request,
    ["cache-control", "no-cache"],
  ]);
  assert.deepEqual(read(Uint8Array.fromHex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")), [
    [":method", "GET"],
    [":scheme", "https"],
    [":path", "/index.html"],
    [":authority", "www.example.com"],
    ["custom-key", "custom-value"],
  ]);
});

Deno.test("values with Huffman coding are read", () => {
  const block = "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff" +
    "6e919d29ad171863c78f0b97c8e9ae82ae43d3";
  assert.deepEqual(hpackReader()(Uint8Array.fromHex(block)), [
    [":status", "302"],
    ["cache-control", "private"],
    ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
    ["location", "https://www.example.com"],
  ]);
});

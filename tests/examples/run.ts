// deno-lint-ignore-file no-console -- what a task prints is its result
/**
 * `deno task examples`: builds the samples in Go, Java and Python and runs them against the real service, with a real Kafka.
 * Prints a line for each check. A check whose tools are missing is skipped; with REQUIRE_EXAMPLES=1 it fails the run.
 * The samples in TypeScript are tested in `deno task ok`, and open the requests here.
 */
import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { DEMO } from "../../demo/ids.ts";
import { hashEmail } from "../../demo/peers/email_hashes.ts";
import { TOPICS } from "../../events/topics.ts";
import { createPeers } from "../../rpc/peers.ts";
import { eventually } from "../eventually.ts";
import { startBroker } from "../kafka/broker.ts";
import { KafkaMissing } from "../kafka/installation.ts";
import { freePort } from "../ports.ts";
import { watch } from "../service.ts";
import { buildGo, buildJava, buildPython, type Program, ToolMissing } from "./builds.ts";
import { type Result, run, runTypeScript, type Setting, startSetting } from "./setting.ts";

const { storeId, customerId, secondCustomerId } = DEMO;
const UNKNOWN = "0190a000-0000-7000-8000-00000000ffff";

interface Samples {
  setting: Setting;
  /** Undefined where the tools are missing. */
  go: ((name: string) => Program) | undefined;
  java: ((name: string) => Program) | undefined;
  python: ((name: string) => Program) | undefined;
  kafka: string | undefined;
  /** URLs by name. */
  participants: ReadonlyMap<string, URL>;
}

type Tool = "go" | "java" | "python" | "kafka";

interface Check {
  name: string;
  needs: Tool[];
  holds(samples: Samples): Promise<void>;
}

/** In this order: the last one erases a customer. */
const CHECKS: Check[] = [
  {
    name: "cart (Go) prints the price list of a customer, and why it applies",
    needs: ["go"],
    async holds(samples) {
      const expected = `price list ${DEMO.priceListIds[1]}: PRICE_LIST_REASON_HIGHEST_PRIORITY`;
      await answers(() => cart(samples, customerId), expected);
    },
  },
  {
    name: "cart (Go) uses the store's prices for an unknown customer, and if the service does not answer",
    needs: ["go"],
    async holds(samples) {
      await answers(() => cart(samples, UNKNOWN), "price list of the store: NotFound");
      const away = { CUSTOMER_SERVICE: `127.0.0.1:${freePort()}` };
      const { output } = await cart(samples, customerId, away);
      assert.match(output, /^price list of the store: (Unavailable|DeadlineExceeded)$/);
    },
  },
  {
    name: "cart (Go) fails on a token that may not call",
    needs: ["go"],
    async holds(samples) {
      const env = { CUSTOMER_SERVICE_TOKEN: await samples.setting.serviceToken("other-service") };
      const { code, errors } = await answers(() => cart(samples, customerId, env), "");
      assert.equal(code, 1);
      assert.match(errors, /PermissionDenied/);
    },
  },
  {
    name: "checkout (Java) prints a customer's email and address",
    needs: ["java"],
    async holds(samples) {
      const expected =
        "email mina.keller@shop.example\nstatus CUSTOMER_STATUS_ACTIVE\nships to Musterweg 7, Zürich, CH";
      await answers(() => checkout(samples, customerId), expected);
    },
  },
  {
    name: "checkout (Java) refuses an unknown customer",
    needs: ["java"],
    async holds(samples) {
      const refusal = "The store has no such customer: ask the shopper to sign in again";
      assert.equal((await answers(() => checkout(samples, UNKNOWN), refusal)).code, 2);
    },
  },
  {
    name: "marketing (Python) prints the groups of a customer",
    needs: ["python"],
    async holds(samples) {
      await answers(() => marketing(samples, customerId), /^groups .*, .*\ninclude$/);
    },
  },
  {
    name: "marketing (Python) reads the reasons of refusals and the wrong fields",
    needs: ["python"],
    async holds(samples) {
      await answers(() => marketing(samples, UNKNOWN), "NOT_FOUND NOT_FOUND");
      const wrongField = "INVALID_ARGUMENT INVALID_INPUT customer_id: must be a UUID";
      await answers(() => marketing(samples, "mina"), wrongField);
      const env = { CUSTOMER_SERVICE_TOKEN: await samples.setting.serviceToken("other-service") };
      assert.equal((await answers(() => marketing(samples, customerId, env), /^PERMISSION_DENIED/)).code, 2);
    },
  },
  {
    name: "event (Python) decodes the events of every topic",
    needs: ["python"],
    async holds({ python }) {
      const { program, args } = python!("event");
      for (const [topic, schema] of TOPICS) {
        const [storeField] = schema.fields.filter(({ name }) => name === "store_id");
        assert.ok(storeField);
        const value = toBinary(schema, create(schema, { [storeField.localName]: storeId }));
        const command = new Deno.Command(program, {
          args: [...args, topic],
          stdin: "piped",
          stdout: "piped",
        });
        const process = command.spawn();
        await new Blob([value as Uint8Array<ArrayBuffer>]).stream().pipeTo(process.stdin);
        const { stdout } = await process.output();
        assert.deepEqual([topic, JSON.parse(new TextDecoder().decode(stdout))], [topic, {
          store_id: storeId,
        }]);
      }
    },
  },
  {
    name: "cart (Go) offers a suspended customer no order",
    needs: ["go"],
    async holds(samples) {
      await using _ = await suspended(samples, customerId);
      await answers(() => cart(samples, customerId), /\nthe customer cannot order: /);
    },
  },
  {
    name: "checkout (Java) refuses a suspended customer",
    needs: ["java"],
    async holds(samples) {
      await using _ = await suspended(samples, customerId);
      const refusal = "The account is suspended: ask the shopper to contact support";
      assert.equal((await answers(() => checkout(samples, customerId), refusal)).code, 2);
    },
  },
  {
    name: "marketing (Python) leaves a suspended customer out",
    needs: ["python"],
    async holds(samples) {
      await using _ = await suspended(samples, customerId);
      await answers(() => marketing(samples, customerId), /\nleave out$/);
    },
  },
  {
    name: "participants (Go, Java) continue after a cursor, and hold nothing of an unknown customer",
    needs: ["go", "java"],
    async holds({ participants }) {
      using peers = createPeers(participants);
      const collect = async (service: string, customer: string, resumeAfter?: string) => {
        const request = { customerId: customer, storeId, requestId: UNKNOWN, resumeAfter, emailHashes: [] };
        return await Array.fromAsync(peers.collect(service, request, new AbortController().signal));
      };
      for (const service of PARTICIPANTS) {
        const [first, second, ...more] = await collect(service, customerId);
        assert.ok(first && second && more.length === 0, service);
        assert.deepEqual(await collect(service, customerId, first.cursor), [second]);
        assert.deepEqual(await collect(service, customerId, second.cursor), []);
        assert.deepEqual(await collect(service, UNKNOWN), []);
        await assert.rejects(collect(service, customerId, "no cursor"), /INVALID_ARGUMENT/);
      }
    },
  },
  {
    name: "the participant in Go finds the rows of a guest by the hash of the email",
    needs: ["go"],
    async holds({ participants }) {
      using peers = createPeers(participants);
      const collect = (hash: string) =>
        Array.fromAsync(peers.collect(
          "communication-service",
          {
            customerId: UNKNOWN,
            storeId,
            requestId: UNKNOWN,
            resumeAfter: undefined,
            emailHashes: [{ keyId: "00".repeat(8), hash }],
          },
          new AbortController().signal,
        ));
      const { data } = (await collect(await hashWithSampleKey("lena.winter@mail.example")))[0]!.record;
      assert.equal(data.email, "lena.winter@mail.example");
      assert.deepEqual(await collect(await hashWithSampleKey("mina.keller@shop.example")), []);
    },
  },
  {
    name: "participants (Go, Java) send what they hold for an access request",
    needs: ["go", "java"],
    async holds(samples) {
      await storefront(samples, "access", customerId);
      const output = await completed(samples, customerId);
      assert.match(output, /^ACCESS FULFILLED/);
      for (const service of PARTICIPANTS) assert.match(output, new RegExp(`${service} RECEIVED`));
      const path = output.match(/documents (\S+)/)?.[1];
      const headers = { authorization: `Bearer ${await samples.setting.shopperToken(customerId)}` };
      const document = await fetch(`${samples.setting.httpUrl}${path}/access.html`, { headers });
      const page = await document.text();
      for (const value of ["Tea of the month", "Cups, set of four"]) assert.ok(page.includes(value), value);
    },
  },
  {
    name: "participants (Go, Java) erase and confirm with a signature; cart and checkout then see a guest",
    needs: ["go", "java", "kafka"],
    async holds(samples) {
      await storefront(samples, "erasure", secondCustomerId);
      const output = await completed(samples, secondCustomerId);
      assert.match(output, /^ERASURE FULFILLED/);
      // customer-service has their keys, so it refuses a confirmation without a valid signature.
      for (const service of PARTICIPANTS) assert.match(output, new RegExp(`${service} CONFIRMED`));
      await answers(() => cart(samples, secondCustomerId), "price list of the store: FailedPrecondition");
      const refusal = "The customer has been erased: only a guest checkout is possible";
      await answers(() => checkout(samples, secondCustomerId), refusal);
    },
  },
];

const PARTICIPANTS = ["communication-service", "order-service"];
/** The key in docs/participants.md, in base64. */
const EMAIL_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

async function hashWithSampleKey(email: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", Uint8Array.fromBase64(EMAIL_KEY), algorithm, false, [
    "sign",
  ]);
  return hashEmail([{ id: "sample", key }], email)[0]!.hash;
}

async function main(): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const go = await available("go", buildGo);
  const java = await available("java", buildJava);
  const python = await available("python", buildPython);
  const broker = await available("kafka", startBroker);
  if (broker) stack.use(broker);
  const samples = await start({ go, java, python, kafka: broker?.brokers }, stack);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, needs, holds } of CHECKS) {
    const missing = needs.filter((tool) => !samples[tool]);
    const failure = missing.length > 0 ? undefined : await holds(samples).then(() => undefined, String);
    const outcome = missing.length > 0 ? "skipped" : failure === undefined ? "passed" : "failed";
    counts[outcome]++;
    console.log(`${outcome}  ${name}${failure === undefined ? "" : `\n${failure}`}`);
  }
  const { passed, failed, skipped } = counts;
  console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 ? 0 : 1;
}

/** Result of a tool that builds or starts something; undefined where the tool is missing and none is required. */
async function available<T>(tool: Tool, prepare: () => Promise<T>): Promise<T | undefined> {
  try {
    return await prepare();
  } catch (error) {
    if (!isMissing(error) || Deno.env.get("REQUIRE_EXAMPLES") === "1") throw error;
    console.warn(`Checks with ${tool} are skipped: ${error.message}`);
    return undefined;
  }
}

/** Starts the service with the samples as its participants. */
async function start(
  tools: Omit<Samples, "setting" | "participants">,
  stack: AsyncDisposableStack,
): Promise<Samples> {
  const ports = PARTICIPANTS.map(freePort);
  const [goPort, javaPort] = ports;
  const kafka: Record<string, string> = tools.kafka ? { KAFKA_BROKERS: tools.kafka } : {};
  const [goKey, javaKey] = await Promise.all(PARTICIPANTS.map(createSigningKey));
  const setting = stack.use(
    await startSetting({
      ...kafka,
      GDPR_PARTICIPANTS: PARTICIPANTS.join(),
      PEER_COMMUNICATION_SERVICE_URL: `http://127.0.0.1:${goPort}`,
      PEER_ORDER_SERVICE_URL: `http://127.0.0.1:${javaPort}`,
      PEER_COMMUNICATION_SERVICE_PUBLIC_KEYS: goKey!.publicKey,
      PEER_ORDER_SERVICE_PUBLIC_KEYS: javaKey!.publicKey,
    }),
  );
  const participants = new Map(
    PARTICIPANTS.map((name, index) => [name, new URL(`http://127.0.0.1:${ports[index]}`)]),
  );
  const samples = { ...tools, setting, participants };
  const [goService = "", javaService = ""] = PARTICIPANTS;
  if (tools.go) {
    const own = {
      SERVICE: goService,
      LISTEN: `127.0.0.1:${goPort}`,
      SIGNING_KEY: goKey!.privateKey,
      EMAIL_KEY,
    };
    const env = { ...await callerEnv(samples, goService), ...kafka, ...own };
    await stack.use(spawn(tools.go("participant"), env)).waitForOutput(/listening on/);
  }
  if (tools.java) {
    const env = {
      ...await callerEnv(samples, javaService),
      ...kafka,
      PORT: String(javaPort),
      SIGNING_KEY: javaKey!.privateKey,
    };
    await stack.use(spawn(tools.java("participant"), env)).waitForOutput(/Listening on/);
  }
  return samples;
}

/** Ed25519 key pair in base64: PKCS#8, and SubjectPublicKeyInfo. */
async function createSigningKey(): Promise<{ privateKey: string; publicKey: string }> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const exported = async (format: "pkcs8" | "spki", key: CryptoKey) =>
    new Uint8Array(await crypto.subtle.exportKey(format, key)).toBase64();
  return {
    privateKey: await exported("pkcs8", pair.privateKey),
    publicKey: await exported("spki", pair.publicKey),
  };
}

function spawn({ program, args }: Program, env: Record<string, string>) {
  return watch(new Deno.Command(program, { args, env, stdout: "piped", stderr: "piped" }).spawn());
}

async function callerEnv({ setting }: { setting: Setting }, service: string) {
  const { hostname, port } = new URL(`http://${setting.grpcAddress}`);
  return {
    CUSTOMER_SERVICE: setting.grpcAddress,
    CUSTOMER_SERVICE_HOST: hostname,
    CUSTOMER_SERVICE_PORT: port,
    CUSTOMER_SERVICE_TOKEN: await setting.serviceToken(service),
  };
}

async function cart(samples: Samples, customer: string, env: Record<string, string> = {}): Promise<Result> {
  const { program } = samples.go!("cart");
  return await run(program, [storeId, customer], { ...await callerEnv(samples, "cart-service"), ...env });
}

async function checkout(samples: Samples, customer: string): Promise<Result> {
  const { program, args } = samples.java!("checkout");
  return await run(program, [...args, storeId, customer], await callerEnv(samples, "checkout-service"));
}

async function marketing(
  samples: Samples,
  customer: string,
  env: Record<string, string> = {},
): Promise<Result> {
  const { program, args } = samples.python!("marketing");
  const own = await callerEnv(samples, "marketing-service");
  return await run(program, [...args, storeId, customer], { ...own, ...env });
}

/** Suspends a customer until the end of the check. */
async function suspended({ setting }: Samples, customer: string): Promise<AsyncDisposable> {
  const setStatus = async (status: string) => {
    const headers = {
      authorization: `Bearer ${await setting.staffToken("CUSTOMER_MANAGER")}`,
      "content-type": "application/json",
    };
    const url = `${setting.httpUrl}/customers/${customer}`;
    const response = await fetch(url, { method: "PATCH", headers, body: JSON.stringify({ status }) });
    assert.equal(response.status, 200, await response.text());
  };
  await setStatus("SUSPENDED");
  return { [Symbol.asyncDispose]: () => setStatus("ACTIVE") };
}

/** Repeats a program until its output is the expected one: on a busy machine a deadline may pass first. */
function answers(program: () => Promise<Result>, expected: string | RegExp): Promise<Result> {
  return eventually(async () => {
    const result = await program();
    if (expected instanceof RegExp) assert.match(result.output, expected, result.errors);
    else assert.equal(result.output, expected, result.errors);
    return result;
  });
}

async function storefront({ setting }: Samples, action: string, customer: string): Promise<string> {
  const env = {
    GRAPHQL_URL: `${setting.httpUrl}/graphql`,
    SHOPPER_TOKEN: await setting.shopperToken(customer),
  };
  const { code, output, errors } = await runTypeScript("storefront_gdpr", [action], env);
  assert.equal(code, 0, errors);
  return output;
}

/** Entries of the storefront's list once the customer's only request is complete. */
async function completed(samples: Samples, customer: string): Promise<string> {
  return await eventually(async () => {
    const output = await storefront(samples, "list", customer);
    assert.match(output, /^\w+ FULFILLED/, "the request is not complete");
    return output;
  }, 120_000);
}

function isMissing(error: unknown): error is ToolMissing | KafkaMissing {
  return error instanceof ToolMissing || error instanceof KafkaMissing;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!isMissing(error)) throw error;
  console.error(`${error.message} (REQUIRE_EXAMPLES=1)`);
  Deno.exitCode = 1;
}

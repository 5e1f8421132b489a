/** Process with only a relay, for tests that kill it. Its batches are slow, so that the kill interrupts one. */
import { openPool } from "../../db/connect.ts";
import { kafkaSink } from "../../events/kafka_sink.ts";
import { startRelay } from "../../events/relay.ts";
import { PROTOBUF, settings } from "./kafka.ts";

const [databaseUrl, broker] = Deno.args;
const sql = openPool(databaseUrl!, "customer_worker", 3);
startRelay(sql, kafkaSink(settings(broker), PROTOBUF), { batchSize: 50 });

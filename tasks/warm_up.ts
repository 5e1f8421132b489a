/**
 * Loads each module that the service loads in production, so that Deno stores their compiled code in DENO_DIR. The image
 * runs it when it is built: half of a start without the stored code is compilation.
 */
import "../main.ts";
import "../service.ts";
import "../edge_service.ts";
import "../http.ts";
import "../rest/mod.ts";
import "../graph/mod.ts";
import "../inspect/mod.tsx";
import "../events/kafka_client.ts";
import "../events/kafka_producer.ts";
import "../grpc/reflection.ts";
import "elkjs";

/** Process with the gRPC server and a no-op method, which returns real responses from a file. */
import { fromBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { PriceListReason } from "../actors/customers/price_list.ts";
import { createAdmission } from "../auth/callers.ts";
import {
  GetCustomerGroupsResponseSchema,
  PriceListReason as Reason,
} from "../proto/gen/io/shopstar/customer/v1/customer_service_pb.ts";
import type { GroupsAnswer } from "../rpc/lookup_codec.ts";
import { serveGrpc } from "../rpc/server.ts";
import { readAnswers } from "./_messages.ts";

const answers = (await readAnswers(Deno.args[0] ?? "")).map((bytes): GroupsAnswer => {
  const { memberships, priceListId, priceListReason } = fromBinary(GetCustomerGroupsResponseSchema, bytes);
  return {
    memberships: memberships.map((one) => ({ ...one, assignedAt: timestampMs(one.assignedAt!) })),
    priceListId,
    reason: Reason[priceListReason] as PriceListReason,
    status: "ACTIVE",
  };
});
let turn = 0;
const { port } = await serveGrpc({
  bind: "127.0.0.1",
  port: 0,
  admit: createAdmission({
    mode: "none",
    callers: {
      GetCustomerGroups: [],
      GetCustomerSnapshot: [],
      ConfirmErasure: [],
      GetNotice: [],
      ConfirmNotice: [],
    },
  }),
  methods: {
    getCustomerGroups: () => Promise.resolve(answers[turn++ % answers.length]!),
    getCustomerSnapshot: () => Promise.reject(new Error("not measured")),
    confirmErasure: () => Promise.reject(new Error("not measured")),
    getNotice: () => Promise.reject(new Error("not measured")),
    confirmNotice: () => Promise.reject(new Error("not measured")),
  },
});
await Deno.stdout.write(new TextEncoder().encode(`${port}\n`));

/** Personal data that the demo services hold about the demo customers. All values are fictional. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CollectCustomerDataResponseSchema } from "../../proto/gen/io/shopstar/customer/v1/data_subject_service_pb.ts";
import { DEMO } from "../ids.ts";
import { HOME, SAMPLE_CUSTOMERS, SAMPLE_GUESTS } from "../sample_customers.ts";

export type Holding = Omit<
  Exclude<MessageInitShape<typeof CollectCustomerDataResponseSchema>, { $typeName: string }>,
  "cursor" | "customerId" | "storeId"
>;
export type Holdings = Readonly<Record<string, readonly Holding[]>>;

const minasAddress = { name: "Mina Keller", street: "Musterweg 7", city: "8004 Zürich", country: "CH" };
const tomsAddress = {
  name: "Tom Berg",
  street: "3 Sample Street, Flat 2",
  city: "Leeds LS1 4AP",
  country: "GB",
};

function order(number: string, date: string, deliveredTo: object, lines: [string, number][]): Holding {
  return {
    category: "order",
    purpose: "to deliver the order and to keep the store's accounts",
    retention: "ten years after the order",
    recipients: ["the carrier of the parcel"],
    data: {
      number,
      deliveredTo: { ...deliveredTo },
      lines: lines.map(([article, price]) => ({ article, price })),
    },
    recordedAt: at(date),
  };
}

function payment(orderNumber: string, date: string, amount: number, card: string): Holding {
  return {
    category: "payment",
    purpose: "to collect the payment for an order",
    retention: "ten years after the payment",
    recipients: ["the card's bank"],
    data: { orderNumber, amount, card },
    recordedAt: at(date),
  };
}

function email(subject: string, date: string, to: string): Holding {
  return {
    category: "email",
    purpose: "to inform the customer about an order",
    retention: "two years",
    recipients: [],
    data: { subject, to, opened: true },
    recordedAt: at(date),
  };
}

function at(date: string) {
  return { seconds: BigInt(Date.parse(`${date}T10:00:00Z`) / 1_000) };
}

/** The shoppers of the tour. */
export const TOUR_CUSTOMERS: readonly string[] = [DEMO.customerId, DEMO.secondCustomerId];

interface Buyer {
  name: string;
  email: string;
}

/** What each service holds about an order of tea. */
const TEA_ORDER: Record<string, (number: string, buyer: Buyer) => Holding> = {
  "order-service": (number, { name }) =>
    order(
      number,
      "2026-01-19",
      { name, street: HOME.line1, city: `${HOME.postalCode} ${HOME.city}`, country: HOME.country },
      [["Oolong, 100 g", 21]],
    ),
  "payment-service": (number) => payment(number, "2026-01-19", 21, "Visa ending in 1881"),
  "communication-service": (number, { email: to }) =>
    email(`Your order ${number} is on its way`, "2026-01-20", to),
};

/** Records of the sample customers: one order each. */
function ofSampleCustomers(service: string): Holdings {
  return Object.fromEntries(SAMPLE_CUSTOMERS.map(({ id, firstName, lastName, email }, index) => {
    const holding = TEA_ORDER[service]?.(`1${String(500 + index)}`, {
      name: `${firstName} ${lastName}`,
      email,
    });
    return [id, holding ? [holding] : []];
  }));
}

/** Rows without a customer ID: orders of guests, by the guest's email. */
function ofGuests(service: string): Holdings {
  return Object.fromEntries(
    Object.values(SAMPLE_GUESTS).map(({ email }, index) => {
      const holding = TEA_ORDER[service]?.(`G-${2001 + index}`, { name: "Guest", email });
      return [email, holding ? [holding] : []];
    }),
  );
}

/** By service and by email. */
export const GUEST_HOLDINGS: Readonly<Record<string, Holdings>> = Object.fromEntries(
  Object.keys(TEA_ORDER).map((service) => [service, ofGuests(service)]),
);

/** By service and by customer. */
export const HOLDINGS: Readonly<Record<string, Holdings>> = {
  "order-service": {
    ...ofSampleCustomers("order-service"),
    [DEMO.customerId]: [
      order("10017", "2025-11-03", minasAddress, [["Teapot, blue", 49], ["Green tea, 250 g", 18.5]]),
      order("10344", "2026-02-20", minasAddress, [["Cups, set of four", 36]]),
      {
        category: "return",
        purpose: "to process the return",
        retention: "three years",
        recipients: ["the carrier of the parcel"],
        data: { orderNumber: "10344", reason: "one cup was broken" },
        recordedAt: at("2026-02-26"),
      },
    ],
    [DEMO.secondCustomerId]: [order("10102", "2025-12-11", tomsAddress, [["Tea strainer", 9.9]])],
  },
  "payment-service": {
    ...ofSampleCustomers("payment-service"),
    [DEMO.customerId]: [
      payment("10017", "2025-11-03", 67.5, "Visa ending in 4242"),
      payment("10344", "2026-02-20", 36, "Visa ending in 4242"),
      {
        category: "saved card",
        purpose: "to pay without entering the card again",
        retention: "until the customer removes it",
        recipients: [],
        data: { brand: "Visa", lastDigits: "4242", holder: "Mina Keller", expires: "09/28" },
        recordedAt: at("2025-11-03"),
      },
    ],
    [DEMO.secondCustomerId]: [payment("10102", "2025-12-11", 9.9, "Mastercard ending in 4444")],
  },
  "communication-service": {
    ...ofSampleCustomers("communication-service"),
    [DEMO.customerId]: [
      {
        category: "newsletter subscription",
        purpose: "to send the newsletter that the customer subscribed to",
        retention: "until the customer unsubscribes",
        recipients: ["the sender of the newsletter"],
        data: { address: "mina.keller@shop.example", topics: ["tea", "offers"] },
        recordedAt: at("2025-10-30"),
      },
      email("Your order 10017 is on its way", "2025-11-04", "mina.keller@shop.example"),
      email("Your order 10344 is on its way", "2026-02-21", "mina.keller@shop.example"),
    ],
    [DEMO.secondCustomerId]: [email("Your order 10102 is on its way", "2025-12-12", "tom.berg@shop.example")],
  },
};

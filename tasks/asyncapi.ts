/** Generates the AsyncAPI document of the topics from the proto files and their comments. */
import { eventType, TOPICS } from "../events/topics.ts";

type Schema = Record<string, unknown>;

/** The parts of buf's image that this module reads. */
interface Image {
  file: {
    name: string;
    package: string;
    messageType?: Message[];
    sourceCodeInfo?: { location: { path?: number[]; leadingComments?: string }[] };
  }[];
}

interface Message {
  name: string;
  field?: { name: string; jsonName: string; type: string; label: string; typeName?: string }[];
}

interface Described {
  comment: string | undefined;
  schema: Schema;
  /** Full names of the messages that its fields use. */
  uses: string[];
}

/** @param image output of `buf build` in JSON, with comments */
export function describeTopics(image: Image): Schema {
  const files = image.file.filter(({ name }) => name.endsWith("/events.proto"));
  const described = new Map<string, Described>(files.flatMap(messagesOf));
  const topics = [...TOPICS].map(([topic, { typeName }]) => ({ topic, typeName, name: nameOf(topic) }));
  const reached = new Set(topics.map(({ typeName }) => typeName));
  for (const typeName of reached) described.get(typeName)?.uses.forEach((used) => reached.add(used));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "customer-service",
      version: "1.0.0",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      description:
        "Events that customer-service publishes to Kafka. The key is the customer_id; of customer.erased it is " +
        "store_id/customer_id. The first deliveries of one key arrive in order within a topic (of audit.event: those of " +
        "one target), each at least once and always with the same event_id; a repetition may arrive after newer events. " +
        "The version orders them across topics. No event contains personal values. " +
        "Values are protobuf, or with EVENT_FORMAT=json the same messages in canonical JSON, which the schemas " +
        "here describe. Headers are CloudEvents in binary form.",
    },
    defaultContentType: "application/protobuf",
    channels: Object.fromEntries(topics.map(({ topic, name }) => [name, {
      address: topic,
      messages: { [name]: { $ref: `#/components/messages/${name}` } },
    }])),
    operations: Object.fromEntries(
      topics.map(({ name }) => [`publish${name[0]?.toUpperCase()}${name.slice(1)}`, {
        action: "send",
        channel: { $ref: `#/channels/${name}` },
      }]),
    ),
    components: {
      messages: Object.fromEntries(topics.map(({ topic, typeName, name }) => [name, {
        name: topic,
        title: typeName,
        summary: described.get(typeName)?.comment,
        headers: { $ref: "#/components/schemas/CloudEventHeaders" },
        payload: { $ref: `#/components/schemas/${typeName}` },
      }])),
      schemas: {
        CloudEventHeaders: HEADERS,
        ...Object.fromEntries(
          [...reached].sort().map((typeName) => [typeName, described.get(typeName)?.schema]),
        ),
      },
    },
  };
}

/** Converts `customer.group_assigned` to a name that AsyncAPI allows. */
const nameOf = (topic: string) => topic.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase());

const text = { type: "string" };
const HEADERS: Schema = {
  type: "object",
  properties: {
    ce_specversion: { const: "1.0" },
    ce_id: { ...text, format: "uuid", description: "The event_id" },
    ce_type: {
      ...text,
      description: "The topic with a namespace and the version of its message",
      examples: [...TOPICS].map(([topic, schema]) => eventType(topic, schema)),
    },
    ce_source: {
      ...text,
      format: "uri-reference",
      description: "The deployment: EVENT_SOURCE, by default /customer-service",
    },
    ce_time: { ...text, format: "date-time" },
    ce_subject: {
      ...text,
      format: "uuid",
      description:
        "The customer_id; of an audit event without a customer, the ID of its target; without a target, of its actor",
    },
    "content-type": { enum: ["application/protobuf", "application/json"] },
  },
  required: ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject", "content-type"],
};

/** Schemas of protobuf's scalar types in canonical JSON. */
const SCALARS: Record<string, Schema> = {
  TYPE_STRING: text,
  TYPE_INT32: { type: "integer" },
  TYPE_BOOL: { type: "boolean" },
};

/** Field numbers of the messages in a file descriptor and of the fields in a message descriptor. */
const MESSAGES = 4;
const FIELDS = 2;

function messagesOf(file: Image["file"][number]): [typeName: string, Described][] {
  const comments = new Map(
    file.sourceCodeInfo?.location.map(({ path, leadingComments }) => [path?.join("."), leadingComments]),
  );
  const comment = (...path: number[]) =>
    comments.get(path.join("."))?.split("\n").map((line) => line.trim()).join(" ").trim();
  return (file.messageType ?? []).map((message, at) => {
    const fields = message.field ?? [];
    const properties = fields.map(({ jsonName, type, typeName, label }, field): [string, Schema] => {
      const item = typeName ? typeOf(typeName) : SCALARS[type];
      if (!item) throw new Error(`Cannot describe ${message.name}.${jsonName}: SCALARS has no ${type}`);
      const description = comment(MESSAGES, at, FIELDS, field);
      const schema = label === "LABEL_REPEATED" ? { type: "array", items: item } : item;
      return [jsonName, { ...schema, ...(description && { description }) }];
    });
    const description = comment(MESSAGES, at);
    const schema = {
      type: "object",
      ...(description && { description }),
      properties: Object.fromEntries(properties),
    };
    const uses = fields.flatMap(({ typeName }) => typeName?.startsWith(".io.") ? [typeName.slice(1)] : []);
    return [`${file.package}.${message.name}`, { comment: description, schema, uses }];
  });
}

function typeOf(typeName: string): Schema {
  if (typeName === ".google.protobuf.Timestamp") return { type: "string", format: "date-time" };
  return { $ref: `#/components/schemas/${typeName.slice(1)}` };
}

"""Prints the value of a Kafka message, read from standard input, as JSON: event.py TOPIC.

For consumers such as BI. With EVENT_FORMAT=json the value is this JSON already; the header content-type says which.
"""

import os
import sys

from google.protobuf.json_format import MessageToJson

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "gen"))

from shopstar.audit.v1 import events_pb2 as audit  # noqa: E402
from shopstar.customer.v1 import events_pb2 as customer  # noqa: E402

MESSAGES = {
    "customer.created": customer.CustomerCreated,
    "customer.updated": customer.CustomerUpdated,
    "customer.group_assigned": customer.CustomerGroupAssigned,
    "customer.group_removed": customer.CustomerGroupRemoved,
    "customer.erasure_requested": customer.CustomerErasureRequested,
    "customer.erased": customer.CustomerErased,
    "audit.event": audit.AuditEvent,
}

message = MESSAGES[sys.argv[1]].FromString(sys.stdin.buffer.read())
print(MessageToJson(message, indent=None, preserving_proto_field_name=True))

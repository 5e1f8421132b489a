"""Marketing prints the groups of a customer: marketing.py STORE_ID CUSTOMER_ID.

Environment: CUSTOMER_SERVICE (such as 127.0.0.1:50051), CUSTOMER_SERVICE_TOKEN.
"""

import os
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "gen"))

from shopstar.customer.v1 import customer_service_pb2 as messages  # noqa: E402
from shopstar.customer.v1 import customer_service_pb2_grpc as services  # noqa: E402

TIMEOUT_SECONDS = 5


def main(store_id: str, customer_id: str) -> int:
    token = os.environ["CUSTOMER_SERVICE_TOKEN"]
    # Plain text, as behind a service mesh. Keep one channel for the whole life of a service.
    with grpc.insecure_channel(os.environ["CUSTOMER_SERVICE"]) as channel:
        customers = services.CustomerServiceStub(channel)
        request = messages.GetCustomerGroupsRequest(store_id=store_id, customer_id=customer_id)
        metadata = [("authorization", f"Bearer {token}")]
        try:
            response = customers.GetCustomerGroups(request, timeout=TIMEOUT_SECONDS, metadata=metadata)
        except grpc.RpcError as error:
            print(f"{error.code().name} {reason_of(error)}")
            return 2
    names = ", ".join(membership.name for membership in response.memberships) or "none"
    print(f"groups {names}")
    # A customer who cannot order gets no campaign.
    barred = response.status in (messages.CUSTOMER_STATUS_SUSPENDED, messages.CUSTOMER_STATUS_CLOSED)
    print("leave out" if barred else "include")
    return 0


def reason_of(error: grpc.RpcError) -> str:
    """Returns the reason for programs and the names of the wrong fields; empty if a proxy has answered."""
    words = []
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info) and info.domain == "customer-service":
            words.append(info.reason)
        if detail.Unpack(request):
            words += [f"{wrong.field}: {wrong.description}" for wrong in request.field_violations]
    return " ".join(words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

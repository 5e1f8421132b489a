package shop.checkout;

import io.grpc.StatusRuntimeException;
import io.quarkus.grpc.GrpcClient;
import io.shopstar.customer.v1.CustomerServiceGrpc.CustomerServiceBlockingStub;
import io.shopstar.customer.v1.GetCustomerSnapshotRequest;
import io.shopstar.customer.v1.GetCustomerSnapshotResponse;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.TimeUnit;

/** Client of customer-service's lookups. */
@ApplicationScoped
public class Customers {
  @GrpcClient("customer-service")
  CustomerServiceBlockingStub customers;

  /**
   * Returns the name, email, status and default addresses of a customer who may order.
   *
   * @throws CheckoutRefused the checkout cannot continue with this customer
   * @throws StatusRuntimeException our mistake, such as a wrong token
   */
  public GetCustomerSnapshotResponse snapshot(String storeId, String customerId) {
    var request =
        GetCustomerSnapshotRequest.newBuilder().setStoreId(storeId).setCustomerId(customerId).build();
    try {
      return requireMayOrder(customers.withDeadlineAfter(5, TimeUnit.SECONDS).getCustomerSnapshot(request));
    } catch (StatusRuntimeException e) {
      switch (e.getStatus().getCode()) {
        case NOT_FOUND:
          throw new CheckoutRefused("The store has no such customer: ask the shopper to sign in again");
        case FAILED_PRECONDITION:
          throw new CheckoutRefused("The customer has been erased: only a guest checkout is possible");
        case UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED:
          throw new CheckoutRefused("No answer in time: let the shopper enter the addresses, or try again");
        default:
          throw e; // our mistake, such as a wrong token
      }
    }
  }

  private static GetCustomerSnapshotResponse requireMayOrder(GetCustomerSnapshotResponse snapshot) {
    switch (snapshot.getStatus()) {
      case CUSTOMER_STATUS_SUSPENDED:
        throw new CheckoutRefused("The account is suspended: ask the shopper to contact support");
      case CUSTOMER_STATUS_CLOSED:
        throw new CheckoutRefused("The account is closed: ask the shopper to contact support");
      default:
        return snapshot; // a status that is added later must not stop the shop
    }
  }

  /** The checkout cannot continue; the message says what to offer instead. */
  public static class CheckoutRefused extends RuntimeException {
    CheckoutRefused(String message) {
      super(message);
    }
  }
}

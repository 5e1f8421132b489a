package shop.orders;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.grpc.Status;
import io.quarkus.grpc.GrpcService;
import io.shopstar.customer.v1.CollectCustomerDataRequest;
import io.shopstar.customer.v1.CollectCustomerDataResponse;
import io.shopstar.customer.v1.DataSubjectService;
import io.smallrye.mutiny.Multi;
import jakarta.inject.Inject;
import shop.orders.Orders.Customer;
import shop.orders.Orders.Order;

/**
 * Answers access and portability requests. Only customer-service may call: let the mesh or a client certificate
 * (PEER_TLS_CERT there) ensure that.
 */
@GrpcService
public class Collector implements DataSubjectService {
  @Inject Orders orders;

  /** Streams one record for each order. A customer who is unknown here gets an empty stream with status OK. */
  @Override
  public Multi<CollectCustomerDataResponse> collectCustomerData(CollectCustomerDataRequest request) {
    var customer = new Customer(request.getStoreId(), request.getCustomerId());
    try {
      var after = request.hasResumeAfter() ? Long.parseLong(request.getResumeAfter()) : 0;
      // With a database read in pages: the stream waits while customer-service does not read.
      return Multi.createFrom().iterable(orders.after(customer, after)).map(order -> record(customer, order));
    } catch (NumberFormatException e) {
      throw Status.INVALID_ARGUMENT.withDescription("resume_after is not a cursor of this service").asRuntimeException();
    }
  }

  private static CollectCustomerDataResponse record(Customer customer, Order order) {
    return CollectCustomerDataResponse.newBuilder()
        // A database returns them with the row: customer-service compares them with its request.
        .setCustomerId(customer.customerId())
        .setStoreId(customer.storeId())
        .setCursor(Long.toString(order.id()))
        .setCategory("order")
        .setPurpose("to deliver the order and to keep the store's accounts")
        .setRetention("ten years after the order")
        .addRecipients("the carrier of the parcel")
        .setData(Struct.newBuilder()
            .putFields("number", text(Long.toString(order.id())))
            .putFields("placedOn", text(order.placedOn().toString()))
            .putFields("article", text(order.article()))
            .putFields("shippedTo", text(order.shippedTo())))
        .build();
  }

  private static Value text(String value) {
    return Value.newBuilder().setStringValue(value).build();
  }
}

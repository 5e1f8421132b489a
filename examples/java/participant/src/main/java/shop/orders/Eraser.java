package shop.orders;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.StatusRuntimeException;
import io.quarkus.grpc.GrpcClient;
import io.quarkus.logging.Log;
import io.shopstar.customer.v1.ConfirmErasureRequest;
import io.shopstar.customer.v1.CustomerErasureRequested;
import io.shopstar.customer.v1.CustomerServiceGrpc.CustomerServiceBlockingStub;
import io.smallrye.reactive.messaging.annotations.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import shop.orders.Orders.Customer;

/**
 * Erases what customer.erasure_requested asks for, and confirms it. Deliveries may repeat: anonymizing and confirming
 * again are harmless, so event IDs need not be remembered.
 */
@ApplicationScoped
public class Eraser {
  /** This service's name in GDPR_PARTICIPANTS of customer-service. */
  private static final String SERVICE = "order-service";

  @Inject Orders orders;

  @Inject Signer signer;

  @GrpcClient("customer-service")
  CustomerServiceBlockingStub customers;

  /**
   * Values are protobuf; with EVENT_FORMAT=json they are canonical JSON, which JsonFormat reads. A value that cannot
   * be read stops the consumer: the setup is wrong.
   */
  @Incoming("erasures")
  @Blocking
  public void erase(byte[] value) throws InvalidProtocolBufferException {
    var event = CustomerErasureRequested.parseFrom(value);
    if (!event.getParticipantsList().contains(SERVICE)) {
      return;
    }
    confirm(event, orders.anonymize(new Customer(event.getStoreId(), event.getCustomerId())));
  }

  /** Reports the erasure with counts and dates, never with personal data. */
  private void confirm(CustomerErasureRequested event, String evidence) {
    var confirmation = ConfirmErasureRequest.newBuilder()
        .setRequestId(event.getRequestId())
        .setStoreId(event.getStoreId())
        .setService(SERVICE)
        .setEvidence(evidence)
        .setSignature(signer.sign(event, SERVICE, evidence))
        .build();
    try {
      customers.withDeadlineAfter(10, TimeUnit.SECONDS).confirmErasure(confirmation);
      Log.infof("Confirmed the erasure %s", event.getRequestId());
    } catch (StatusRuntimeException e) {
      switch (e.getStatus().getCode()) {
        // The request has ended, or staff have waived this participant: nothing is left to confirm.
        case FAILED_PRECONDITION, NOT_FOUND -> Log.infof("Confirmed nothing: %s", e.getStatus());
        // The event is published again, with growing pauses, until it is confirmed.
        case UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED -> Log.warnf("Cannot confirm now: %s", e.getStatus());
        // Our mistake, such as a wrong token. The consumer stops here, and reads the event again after a restart.
        default -> throw e;
      }
    }
  }
}

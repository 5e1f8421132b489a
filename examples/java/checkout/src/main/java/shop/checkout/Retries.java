package shop.checkout;

import io.grpc.ManagedChannelBuilder;
import io.quarkus.grpc.api.ChannelBuilderCustomizer;
import io.quarkus.grpc.runtime.config.GrpcClientConfiguration;
import jakarta.enterprise.context.Dependent;
import java.util.List;
import java.util.Map;

/** Retries lookups that customer-service could not answer, within the deadline of the call. */
@Dependent
public class Retries<T extends ManagedChannelBuilder<T>> implements ChannelBuilderCustomizer<T> {
  @Override
  public Map<String, Object> customize(String name, GrpcClientConfiguration config, T builder) {
    builder.enableRetry();
    return Map.of("methodConfig", List.of(Map.of(
        "name", List.of(Map.of("service", "io.shopstar.customer.v1.CustomerService")),
        "retryPolicy", Map.of(
            "maxAttempts", 4.0,
            "initialBackoff", "0.1s",
            "maxBackoff", "1s",
            "backoffMultiplier", 2.0,
            "retryableStatusCodes", List.of("UNAVAILABLE")))));
  }
}

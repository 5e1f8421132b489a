package shop.checkout;

import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import io.shopstar.customer.v1.Address;
import jakarta.inject.Inject;
import shop.checkout.Customers.CheckoutRefused;

/** Prints what checkout-service needs to know of a customer: arguments STORE_ID CUSTOMER_ID. */
@QuarkusMain
public class Main implements QuarkusApplication {
  @Inject Customers customers;

  @Override
  public int run(String... args) {
    try {
      var snapshot = customers.snapshot(args[0], args[1]);
      System.out.println("email " + snapshot.getEmail());
      System.out.println("status " + snapshot.getStatus());
      System.out.println("ships to "
          + (snapshot.hasDefaultShippingAddress() ? line(snapshot.getDefaultShippingAddress()) : "no address"));
      return 0;
    } catch (CheckoutRefused e) {
      System.out.println(e.getMessage());
      return 2;
    }
  }

  private static String line(Address address) {
    return String.join(", ", address.getLine1(), address.getCity(), address.getCountry());
  }
}

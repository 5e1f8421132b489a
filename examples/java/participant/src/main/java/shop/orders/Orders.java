package shop.orders;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Replaces the database in this sample: invented orders of the two customers of customer-service's demo store. */
@ApplicationScoped
public class Orders {
  private static final String STORE = "0190a000-0000-7000-8000-000000000001";
  private static final Customer MINA = new Customer(STORE, "0190a000-0000-7000-8000-0000000000a1");
  private static final Customer TOM = new Customer(STORE, "0190a000-0000-7000-8000-0000000000a2");

  /** IDs are those of one store. */
  public record Customer(String storeId, String customerId) {}

  /** The ID grows, so it gives a stable order. */
  public record Order(long id, LocalDate placedOn, String article, String shippedTo) {}

  private final Map<Customer, TreeMap<Long, Order>> orders = new HashMap<>();
  private final Map<Customer, String> evidence = new HashMap<>();

  public Orders() {
    add(MINA, new Order(10017, LocalDate.of(2025, 11, 3), "Teapot, blue", "Mina Keller, Musterweg 7, 8004 Zürich"));
    add(MINA, new Order(10344, LocalDate.of(2026, 2, 20), "Cups, set of four", "Mina Keller, Musterweg 7, 8004 Zürich"));
    add(TOM, new Order(10102, LocalDate.of(2025, 12, 11), "Tea strainer", "Tom Berg, 3 Sample Street, Leeds"));
  }

  /** The customer's orders with greater IDs, in order. */
  public synchronized List<Order> after(Customer customer, long id) {
    return List.copyOf(orders.getOrDefault(customer, new TreeMap<>()).tailMap(id, false).values());
  }

  /**
   * Removes the connection between orders and the customer and returns the evidence, the same each time. A database
   * stores it in the transaction that anonymizes, so that a crash before the confirmation does not lose the counts.
   */
  public synchronized String anonymize(Customer customer) {
    return evidence.computeIfAbsent(customer, key -> {
      var anonymized = orders.remove(key);
      return (anonymized == null ? 0 : anonymized.size()) + " orders anonymized";
    });
  }

  private void add(Customer customer, Order order) {
    orders.computeIfAbsent(customer, key -> new TreeMap<>()).put(order.id(), order);
  }
}

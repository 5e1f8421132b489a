package main

import (
	"fmt"
	"sync"
)

// A subscription is what this service holds about a customer. IDs grow, so they give a stable order.
type subscription struct {
	id              int
	newsletter      string
	email           string
	storeID, holder string
}

// holdings replaces the database in this sample.
type holdings struct {
	mu            sync.Mutex
	subscriptions []subscription
	evidence      map[[2]string]string
}

// newHoldings contains invented subscriptions of the two customers of customer-service's demo store.
func newHoldings() *holdings {
	const store = "0190a000-0000-7000-8000-000000000001"
	const mina, tom = "0190a000-0000-7000-8000-0000000000a1", "0190a000-0000-7000-8000-0000000000a2"
	return &holdings{
		subscriptions: []subscription{
			{1, "Offers", "mina.keller@shop.example", store, mina},
			{2, "Tea of the month", "mina.keller@shop.example", store, mina},
			{3, "Offers", "tom.berg@shop.example", store, tom},
		},
		evidence: map[[2]string]string{},
	}
}

// after returns the customer's subscriptions with greater IDs, in order.
func (h *holdings) after(storeID, customerID string, id int) []subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []subscription
	for _, s := range h.subscriptions {
		if s.storeID == storeID && s.holder == customerID && s.id > id {
			found = append(found, s)
		}
	}
	return found
}

// erase deletes the customer's subscriptions and returns the evidence, the same each time. A database stores it in the
// transaction that deletes, so that a crash before the confirmation does not lose the count.
func (h *holdings) erase(storeID, customerID string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	customer := [2]string{storeID, customerID}
	if evidence, erased := h.evidence[customer]; erased {
		return evidence
	}
	var kept []subscription
	for _, s := range h.subscriptions {
		if s.storeID != storeID || s.holder != customerID {
			kept = append(kept, s)
		}
	}
	h.evidence[customer] = fmt.Sprintf("%d newsletter subscriptions deleted", len(h.subscriptions)-len(kept))
	h.subscriptions = kept
	return h.evidence[customer]
}

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
	emailHash       string // "" without a key
	storeID, holder string // holder is "" for a guest
}

// holdings replaces the database in this sample.
type holdings struct {
	mu            sync.Mutex
	subscriptions []subscription
	evidence      map[[2]string]string
}

// newHoldings contains invented subscriptions of two customers and a guest of customer-service's demo store.
func newHoldings(hasher emailHasher) (*holdings, error) {
	const store = "0190a000-0000-7000-8000-000000000001"
	const mina, tom = "0190a000-0000-7000-8000-0000000000a1", "0190a000-0000-7000-8000-0000000000a2"
	found := &holdings{
		subscriptions: []subscription{
			{1, "Offers", "mina.keller@shop.example", "", store, mina},
			{2, "Tea of the month", "mina.keller@shop.example", "", store, mina},
			{3, "Offers", "tom.berg@shop.example", "", store, tom},
			{4, "Offers", "lena.winter@mail.example", "", store, ""},
		},
		evidence: map[[2]string]string{},
	}
	for i, s := range found.subscriptions {
		hash, err := hasher.hash(s.email)
		if err != nil {
			return nil, err
		}
		found.subscriptions[i].emailHash = hash
	}
	return found, nil
}

// isOf reports whether the row is about the person: by the customer ID, or for a guest by the hash of the email.
func (s subscription) isOf(p person) bool {
	if s.storeID != p.storeID {
		return false
	}
	return s.holder == p.customerID || s.holder == "" && p.emailHashes[s.emailHash]
}

// after returns the person's subscriptions with greater IDs, in order.
func (h *holdings) after(p person, id int) []subscription {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []subscription
	for _, s := range h.subscriptions {
		if s.isOf(p) && s.id > id {
			found = append(found, s)
		}
	}
	return found
}

// erase deletes the person's subscriptions and returns the evidence, the same each time. A database stores it in the
// transaction that deletes, so that a crash before the confirmation does not lose the count.
func (h *holdings) erase(p person) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	customer := [2]string{p.storeID, p.customerID}
	if evidence, erased := h.evidence[customer]; erased {
		return evidence
	}
	var kept []subscription
	for _, s := range h.subscriptions {
		if !s.isOf(p) {
			kept = append(kept, s)
		}
	}
	h.evidence[customer] = fmt.Sprintf("%d newsletter subscriptions deleted", len(h.subscriptions)-len(kept))
	h.subscriptions = kept
	return h.evidence[customer]
}

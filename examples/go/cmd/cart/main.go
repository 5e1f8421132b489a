// Cart prints which price list applies to a customer and whether the customer may order, for every display of a cart:
// cart STORE_ID CUSTOMER_ID.
// Environment: CUSTOMER_SERVICE (such as 127.0.0.1:50051), CUSTOMER_SERVICE_TOKEN.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "shop/examples/gen/io/shopstar/customer/v1"
	"shop/examples/internal/customers"
)

// A shopper waits for the cart, so the lookup has half a second, retries included.
const timeout = 500 * time.Millisecond

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: cart STORE_ID CUSTOMER_ID")
	}
	conn, err := customers.Connect("dns:///"+os.Getenv("CUSTOMER_SERVICE"), token)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	found, err := findPrices(customerv1.NewCustomerServiceClient(conn), os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if found.priceListID == "" {
		found.priceListID = "of the store"
	}
	fmt.Printf("price list %s: %s\n", found.priceListID, found.reason)
	if !found.mayOrder {
		fmt.Println("the customer cannot order: show the cart without its order button")
	}
}

type prices struct {
	priceListID string // empty where the store's own prices apply
	reason      string
	mayOrder    bool
}

// findPrices returns the price list that applies and why, and whether the customer may order. A cart with the store's own
// prices is better than none, so a failed lookup does not fail the cart; checkout looks both up again.
func findPrices(client customerv1.CustomerServiceClient, storeID, customerID string) (prices, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	groups, err := client.GetCustomerGroups(ctx, &customerv1.GetCustomerGroupsRequest{StoreId: storeID, CustomerId: customerID})
	switch code := status.Code(err); code {
	case codes.OK:
		return prices{groups.GetPriceListId(), groups.GetPriceListReason().String(), mayOrder(groups.GetStatus())}, nil
	case codes.NotFound, codes.FailedPrecondition: // unknown or erased: the shopper is a guest
		return prices{"", code.String(), true}, nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted: // no answer in time
		return prices{"", code.String(), true}, nil
	default: // InvalidArgument, Unauthenticated, PermissionDenied: our mistake
		return prices{}, err
	}
}

// mayOrder allows an unknown status, so that a status which is added later does not stop the shop.
func mayOrder(status customerv1.CustomerStatus) bool {
	return status != customerv1.CustomerStatus_CUSTOMER_STATUS_SUSPENDED &&
		status != customerv1.CustomerStatus_CUSTOMER_STATUS_CLOSED
}

// A real service gets its token from the OpenID provider and renews it: golang.org/x/oauth2/clientcredentials.
func token(context.Context) (string, error) { return os.Getenv("CUSTOMER_SERVICE_TOKEN"), nil }

// Cart prints which price list applies to a customer, for every display of a cart: cart STORE_ID CUSTOMER_ID.
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
	priceListID, reason, err := findPriceList(customerv1.NewCustomerServiceClient(conn), os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if priceListID == "" {
		priceListID = "of the store"
	}
	fmt.Printf("price list %s: %s\n", priceListID, reason)
}

// findPriceList returns the price list that applies and why. It is empty where the store's own prices apply. A cart
// with those is better than none, so a failed lookup does not fail the cart; checkout looks the price list up again.
func findPriceList(client customerv1.CustomerServiceClient, storeID, customerID string) (id, reason string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	groups, err := client.GetCustomerGroups(ctx, &customerv1.GetCustomerGroupsRequest{StoreId: storeID, CustomerId: customerID})
	switch code := status.Code(err); code {
	case codes.OK:
		return groups.GetPriceListId(), groups.GetPriceListReason().String(), nil
	case codes.NotFound, codes.FailedPrecondition: // unknown or erased: the shopper is a guest
		return "", code.String(), nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted: // no answer in time
		return "", code.String(), nil
	default: // InvalidArgument, Unauthenticated, PermissionDenied: our mistake
		return "", "", err
	}
}

// A real service gets its token from the OpenID provider and renews it: golang.org/x/oauth2/clientcredentials.
func token(context.Context) (string, error) { return os.Getenv("CUSTOMER_SERVICE_TOKEN"), nil }

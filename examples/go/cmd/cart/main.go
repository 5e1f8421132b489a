// Pricelist prints which price list applies to a customer, and why: pricelist STORE_ID CUSTOMER_ID.
// Environment: CUSTOMER_SERVICE (such as 127.0.0.1:50051), CUSTOMER_SERVICE_TOKEN.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "shop/examples/gen/io/shopstar/customer/v1"
	"shop/examples/internal/customers"
)

// errNoCustomer means that the customer is unknown or has been erased: treat the shopper as a guest.
var errNoCustomer = errors.New("the store has no such customer any more")

func main() {
	log.SetFlags(0)
	conn, err := customers.Connect("dns:///"+os.Getenv("CUSTOMER_SERVICE"), token)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	groups, err := findGroups(customerv1.NewCustomerServiceClient(conn), os.Args[1], os.Args[2])
	if errors.Is(err, errNoCustomer) {
		fmt.Println("price list of the store:", err)
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("price list", groups.GetPriceListId(), groups.GetPriceListReason())
}

func findGroups(client customerv1.CustomerServiceClient, storeID, customerID string) (*customerv1.GetCustomerGroupsResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	groups, err := client.GetCustomerGroups(ctx, &customerv1.GetCustomerGroupsRequest{StoreId: storeID, CustomerId: customerID})
	switch status.Code(err) {
	case codes.NotFound, codes.FailedPrecondition:
		return nil, errNoCustomer
	default:
		return groups, err
	}
}

// A real service gets its token from the OpenID provider and renews it: golang.org/x/oauth2/clientcredentials.
func token(context.Context) (string, error) { return os.Getenv("CUSTOMER_SERVICE_TOKEN"), nil }

package main

import (
	"cmp"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	customerv1 "shop/examples/gen/io/shopstar/customer/v1"
)

// A collector answers access and portability requests.
type collector struct {
	customerv1.UnimplementedDataSubjectServiceServer
	holdings *holdings
}

// CollectCustomerData streams one record for each subscription, ordered by ID, which is also the cursor. A customer
// who is unknown here gets an empty stream with status OK.
func (c *collector) CollectCustomerData(
	request *customerv1.CollectCustomerDataRequest,
	stream grpc.ServerStreamingServer[customerv1.CollectCustomerDataResponse],
) error {
	after := 0
	if request.ResumeAfter != nil {
		var err error
		if after, err = strconv.Atoi(request.GetResumeAfter()); err != nil {
			return status.Error(codes.InvalidArgument, "resume_after is not a cursor of this service")
		}
	}
	subject := newPerson(request.GetStoreId(), request.GetCustomerId(), request.GetEmailHashes())
	for _, s := range c.holdings.after(subject, after) {
		data, err := structpb.NewStruct(map[string]any{"newsletter": s.newsletter, "email": s.email})
		if err != nil {
			return err
		}
		// Send waits while customer-service is not reading, so read from your database in pages, not in a transaction.
		if err := stream.Send(&customerv1.CollectCustomerDataResponse{
			// Of the row that was read, not of the request: customer-service compares them. The row of a guest has no
			// customer ID: its hash has shown that it is about the subject.
			CustomerId: cmp.Or(s.holder, subject.customerID),
			StoreId:    s.storeID,
			Cursor:     strconv.Itoa(s.id),
			Category:   "newsletter subscription",
			Purpose:    "to send the newsletter that was subscribed to",
			Retention:  "until the subscription ends",
			Data:       data,
		}); err != nil {
			return err
		}
	}
	return nil
}

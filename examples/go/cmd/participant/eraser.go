package main

import (
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	customerv1 "shop/examples/gen/io/shopstar/customer/v1"
)

// An eraser erases what customer.erasure_requested asks for, and confirms it. Deliveries may repeat: erasing and
// confirming again are harmless, so it need not remember event IDs.
type eraser struct {
	service   string
	holdings  *holdings
	customers customerv1.CustomerServiceClient
}

// run consumes until the context ends. An offset is committed after its event has been handled, so a crash repeats
// the event instead of losing it.
func (e *eraser) run(ctx context.Context, client *kgo.Client) error {
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachError(func(topic string, _ int32, err error) { log.Printf("Cannot read %s: %v", topic, err) })
		for _, record := range fetches.Records() {
			if err := e.handle(ctx, record); err != nil {
				return err // the process restarts and reads the event again
			}
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (e *eraser) handle(ctx context.Context, record *kgo.Record) error {
	event, err := decode(record)
	if err != nil {
		log.Printf("Skipped offset %d of %s: it cannot be decoded", record.Offset, record.Topic)
		return nil
	}
	if !slices.Contains(event.GetParticipants(), e.service) {
		return nil
	}
	return e.confirm(ctx, event, e.holdings.erase(event.GetStoreId(), event.GetCustomerId()))
}

// confirm reports the erasure with counts and dates, never with personal data.
func (e *eraser) confirm(ctx context.Context, event *customerv1.CustomerErasureRequested, evidence string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := e.customers.ConfirmErasure(ctx, &customerv1.ConfirmErasureRequest{
		RequestId: event.GetRequestId(),
		StoreId:   event.GetStoreId(),
		Service:   e.service,
		Evidence:  evidence,
	})
	switch status.Code(err) {
	case codes.OK:
		fmt.Println("confirmed", event.GetRequestId())
		return nil
	case codes.FailedPrecondition, codes.NotFound:
		// The request has ended, or staff have waived this participant: nothing is left to confirm.
		log.Printf("Confirmed nothing: %v", err)
		return nil
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted:
		// The event is published again, with growing pauses, until it is confirmed.
		log.Printf("Cannot confirm now: %v", err)
		return nil
	default:
		return fmt.Errorf("cannot confirm: check the token and the name of this service: %w", err)
	}
}

// decode reads protobuf or JSON, as the header content-type says.
func decode(record *kgo.Record) (*customerv1.CustomerErasureRequested, error) {
	event := &customerv1.CustomerErasureRequested{}
	for _, header := range record.Headers {
		if header.Key == "content-type" && string(header.Value) == "application/json" {
			return event, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(record.Value, event)
		}
	}
	return event, proto.Unmarshal(record.Value, event)
}

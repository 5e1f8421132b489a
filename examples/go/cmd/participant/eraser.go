package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
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
	key       ed25519.PrivateKey // nil: confirmations are not signed
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
	subject := newPerson(event.GetStoreId(), event.GetCustomerId(), event.GetEmailHashes())
	return e.confirm(ctx, event, e.holdings.erase(subject))
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
		Signature: e.sign(event, evidence),
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

// sign returns the signature of a confirmation, which customer-service verifies and puts into the receipt.
func (e *eraser) sign(event *customerv1.CustomerErasureRequested, evidence string) []byte {
	if e.key == nil {
		return nil
	}
	requestID := strings.ToLower(event.GetRequestId())
	salt, err := hex.DecodeString(strings.ReplaceAll(requestID, "-", ""))
	if err != nil {
		return nil // customer-service refuses an ID that is not a UUID
	}
	return ed25519.Sign(e.key, []byte(strings.Join([]string{
		"customer-service/erasure-confirmation@1",
		strings.ToLower(event.GetStoreId()),
		strings.ToLower(event.GetCustomerId()),
		requestID,
		fmt.Sprintf("%s %x", e.service, sha256.Sum256(append(salt, evidence...))),
	}, "\n")))
}

// readKey returns the Ed25519 key in the environment variable SIGNING_KEY, PKCS#8 in base64; nil without one.
func readKey() (ed25519.PrivateKey, error) {
	text := os.Getenv("SIGNING_KEY")
	if text == "" {
		return nil, nil
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("SIGNING_KEY is not an Ed25519 key")
	}
	return key, nil
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

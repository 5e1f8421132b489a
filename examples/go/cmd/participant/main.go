// Participant is a service that holds personal data: it answers access requests and erases on request.
// Environment: SERVICE (its name in GDPR_PARTICIPANTS), LISTEN (host:port), CUSTOMER_SERVICE,
// CUSTOMER_SERVICE_TOKEN, and KAFKA_BROKERS for erasures; SIGNING_KEY to sign their confirmations, and EMAIL_KEY to find
// the rows of guests.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc"

	customerv1 "shop/examples/gen/io/shopstar/customer/v1"
	"shop/examples/internal/customers"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	hasher, err := readEmailKey()
	if err != nil {
		log.Fatal(err)
	}
	holdings, err := newHoldings(hasher)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", os.Getenv("LISTEN"))
	if err != nil {
		log.Fatal(err)
	}
	// Only customer-service may call: have the mesh or a client certificate (PEER_TLS_CERT there) ensure that.
	server := grpc.NewServer()
	customerv1.RegisterDataSubjectServiceServer(server, &collector{holdings: holdings})
	context.AfterFunc(ctx, server.GracefulStop)

	consuming := make(chan error, 1)
	go func() { consuming <- consume(ctx, holdings) }()
	fmt.Println("listening on", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
	if err := <-consuming; err != nil {
		log.Fatal(err)
	}
}

func consume(ctx context.Context, holdings *holdings) error {
	brokers := os.Getenv("KAFKA_BROKERS")
	if brokers == "" {
		return nil
	}
	conn, err := customers.Connect("dns:///"+os.Getenv("CUSTOMER_SERVICE"), token)
	if err != nil {
		return err
	}
	defer conn.Close()
	service := os.Getenv("SERVICE")
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.ConsumerGroup(service+"-erasures"),
		kgo.ConsumeTopics("customer.erasure_requested"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	key, err := readKey()
	if err != nil {
		return err
	}
	eraser := &eraser{
		service:   service,
		key:       key,
		holdings:  holdings,
		customers: customerv1.NewCustomerServiceClient(conn),
	}
	return eraser.run(ctx, client)
}

// A real service gets its token from the OpenID provider and renews it: golang.org/x/oauth2/clientcredentials.
func token(context.Context) (string, error) { return os.Getenv("CUSTOMER_SERVICE_TOKEN"), nil }

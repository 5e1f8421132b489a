// Package customers connects to customer-service.
package customers

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// Policy that grpc-go applies by itself: send calls to all addresses in turn, and retry those that no replica could
// answer. A call ends with its context's deadline, retries included.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [{"service": "io.shopstar.customer.v1.CustomerService"}],
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.1s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

// Connect returns a connection for the whole life of the process. The target is "dns:///customer-service-grpc:50051".
// Token returns the service's current access token, for GRPC_AUTH=token.
func Connect(target string, token func(context.Context) (string, error)) (*grpc.ClientConn, error) {
	return grpc.NewClient(
		target,
		// Plain text, as behind a service mesh; with GRPC_AUTH=mtls: credentials.NewTLS with a certificate.
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(bearer(token)),
		grpc.WithDefaultServiceConfig(serviceConfig),
	)
}

type bearer func(context.Context) (string, error)

func (token bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	value, err := token(ctx)
	return map[string]string{"authorization": "Bearer " + value}, err
}

// RequireTransportSecurity is false since the mesh encrypts.
func (bearer) RequireTransportSecurity() bool { return false }

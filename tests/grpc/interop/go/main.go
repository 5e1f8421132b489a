// The interoperability cases with grpc-go: `interop HOST:PORT`. Prints `name ok` or `name failed reason`.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Messages are plain bytes.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (rawCodec) Name() string                       { return "proto" }

const special = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"

var connection *grpc.ClientConn

func path(method string) string { return "/echo.v1.Echo/" + method }

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 10*time.Second)
}

func unary(ctx context.Context, method string, request []byte, options ...grpc.CallOption) ([]byte, error) {
	var response []byte
	err := connection.Invoke(ctx, method, &request, &response, options...)
	return response, err
}

func streaming(ctx context.Context, method string) (grpc.ClientStream, error) {
	return connection.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
}

func receive(stream grpc.ClientStream) ([]byte, error) {
	var answer []byte
	err := stream.RecvMsg(&answer)
	return answer, err
}

func send(stream grpc.ClientStream, request []byte) error { return stream.SendMsg(&request) }

func isCode(err error, expected codes.Code) error {
	if seen := status.Code(err); seen != expected {
		return fmt.Errorf("%v instead of %v: %v", seen, expected, err)
	}
	return nil
}

func echo(request []byte, options ...grpc.CallOption) error {
	ctx, cancel := soon()
	defer cancel()
	response, err := unary(ctx, path("Unary"), request, options...)
	if err == nil && !bytes.Equal(request, response) {
		err = fmt.Errorf("%d other bytes instead of %d", len(response), len(request))
	}
	return err
}

func failing(message string) error {
	ctx, cancel := soon()
	defer cancel()
	_, err := unary(ctx, path("Status"), append([]byte{byte(codes.Unknown)}, message...))
	if seen := status.Convert(err).Message(); seen != message {
		return fmt.Errorf("the message is %q", seen)
	}
	return isCode(err, codes.Unknown)
}

func customMetadata() error {
	ctx, cancel := soon()
	defer cancel()
	binary := string([]byte{0, 0xab, 0xff, 0x0a})
	ctx = metadata.AppendToOutgoingContext(ctx, "x-echo-initial", "initial value", "x-echo-trailing-bin", binary)
	var header, trailer metadata.MD
	if _, err := unary(ctx, path("Unary"), []byte("x"), grpc.Header(&header), grpc.Trailer(&trailer)); err != nil {
		return err
	}
	initial, trailing := header.Get("x-echo-initial"), trailer.Get("x-echo-trailing-bin")
	if len(initial) != 1 || initial[0] != "initial value" || len(trailing) != 1 || trailing[0] != binary {
		return fmt.Errorf("header %q, trailer %q", initial, trailing)
	}
	return nil
}

func cancelBeforeBegin() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := streaming(ctx, path("PingPong"))
	if err != nil {
		return err
	}
	cancel()
	_, err = receive(stream)
	return isCode(err, codes.Canceled)
}

func cancelAfterBegin() error {
	ctx, cancel := soon()
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := unary(ctx, path("Sleep"), uint32s(5_000))
	return isCode(err, codes.Canceled)
}

func cancelAfterFirstResponse() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := streaming(ctx, path("PingPong"))
	if err != nil {
		return err
	}
	if err := send(stream, []byte("first")); err != nil {
		return err
	}
	if _, err := receive(stream); err != nil {
		return err
	}
	cancel()
	_, err = receive(stream)
	return isCode(err, codes.Canceled)
}

func timeoutOnSleepingServer() error {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := unary(ctx, path("Sleep"), uint32s(5_000))
	return isCode(err, codes.DeadlineExceeded)
}

func unimplemented(method string) error {
	ctx, cancel := soon()
	defer cancel()
	_, err := unary(ctx, method, nil)
	return isCode(err, codes.Unimplemented)
}

func serverStreaming() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := streaming(ctx, path("Stream"))
	if err != nil {
		return err
	}
	if err := errors.Join(send(stream, uint32s(50, 20_000)), stream.CloseSend()); err != nil {
		return err
	}
	for range 50 {
		if answer, err := receive(stream); err != nil || len(answer) != 20_000 {
			return fmt.Errorf("%d bytes, %v", len(answer), err)
		}
	}
	return ends(stream)
}

func pingPong() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := streaming(ctx, path("PingPong"))
	if err != nil {
		return err
	}
	for _, size := range []int{27_182, 8, 1_828, 45_904} {
		if err := send(stream, make([]byte, size)); err != nil {
			return err
		}
		if answer, err := receive(stream); err != nil || len(answer) != size {
			return fmt.Errorf("%d bytes, %v", len(answer), err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return ends(stream)
}

func emptyStream() error {
	ctx, cancel := soon()
	defer cancel()
	stream, err := streaming(ctx, path("PingPong"))
	if err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return ends(stream)
}

func ends(stream grpc.ClientStream) error {
	if _, err := receive(stream); err != io.EOF {
		return fmt.Errorf("%v instead of the end", err)
	}
	return nil
}

func uint32s(values ...uint32) []byte {
	var data []byte
	for _, value := range values {
		data = binary.BigEndian.AppendUint32(data, value)
	}
	return data
}

func main() {
	var err error
	connection, err = grpc.NewClient(
		"passthrough:///"+os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})),
	)
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	cases := []struct {
		name string
		run  func() error
	}{
		{"empty_unary", func() error { return echo(nil) }},
		{"large_unary", func() error { return echo(bytes.Repeat([]byte{7}, 256*1024)) }},
		{"gzip_unary", func() error { return echo(bytes.Repeat([]byte{7}, 10_000), grpc.UseCompressor(gzip.Name)) }},
		{"status_code_and_message", func() error { return failing("test status message") }},
		{"special_status_message", func() error { return failing(special) }},
		{"custom_metadata", customMetadata},
		{"cancel_before_begin", cancelBeforeBegin},
		{"cancel_after_begin", cancelAfterBegin},
		{"cancel_after_first_response", cancelAfterFirstResponse},
		{"timeout_on_sleeping_server", timeoutOnSleepingServer},
		{"unimplemented_method", func() error { return unimplemented(path("Missing")) }},
		{"unimplemented_service", func() error { return unimplemented("/echo.v1.Missing/Unary") }},
		{"server_streaming", serverStreaming},
		{"ping_pong", pingPong},
		{"empty_stream", emptyStream},
	}
	for _, c := range cases {
		outcome := "ok"
		if err := c.run(); err != nil {
			outcome = "failed " + strings.Join(strings.Fields(err.Error()), " ")
		}
		fmt.Println(c.name, outcome)
	}
}

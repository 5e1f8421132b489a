import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** The interoperability cases with grpc-java: `Client HOST PORT`. Prints `name ok` or `name failed reason`. */
public final class Client {
  private static final String SPECIAL =
      "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \ud83d\ude08\t\n";
  private static final Metadata.Key<String> INITIAL =
      Metadata.Key.of("x-echo-initial", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<byte[]> TRAILING =
      Metadata.Key.of("x-echo-trailing-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static ManagedChannel channel;

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new IllegalStateException(error);
          }
        }
      };

  /** A call and all that came of it. */
  private static final class Outcome extends ClientCall.Listener<byte[]> {
    final List<byte[]> answers = new ArrayList<>();
    final CountDownLatch closed = new CountDownLatch(1);
    BiConsumer<Outcome, byte[]> answered = (outcome, bytes) -> {};
    ClientCall<byte[], byte[]> call;
    Metadata header = new Metadata();
    Metadata trailer;
    Status status;

    @Override
    public void onHeaders(Metadata headers) {
      header = headers;
    }

    @Override
    public void onMessage(byte[] message) {
      answers.add(message);
      answered.accept(this, message);
      call.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      this.status = status;
      trailer = trailers;
      closed.countDown();
    }
  }

  private static Outcome call(
      String path, boolean unary, CallOptions options, Metadata metadata, Consumer<Outcome> begun,
      BiConsumer<Outcome, byte[]> answered) throws InterruptedException {
    var type = unary ? MethodDescriptor.MethodType.UNARY : MethodDescriptor.MethodType.BIDI_STREAMING;
    var method = MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(type).setFullMethodName(path)
        .setRequestMarshaller(BYTES).setResponseMarshaller(BYTES).build();
    var outcome = new Outcome();
    outcome.answered = answered;
    outcome.call = channel.newCall(method, options);
    outcome.call.start(outcome, metadata);
    outcome.call.request(2);
    begun.accept(outcome);
    if (!outcome.closed.await(15, TimeUnit.SECONDS)) throw new IllegalStateException("the call does not end");
    return outcome;
  }

  private static CallOptions soon() {
    return CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS);
  }

  private static Outcome unary(String path, byte[] request, CallOptions options, Metadata metadata)
      throws InterruptedException {
    return call(path, true, options, metadata, outcome -> {
      outcome.call.sendMessage(request);
      outcome.call.halfClose();
    }, (outcome, bytes) -> {});
  }

  private static Outcome streaming(
      String method, Consumer<Outcome> begun, BiConsumer<Outcome, byte[]> answered) throws InterruptedException {
    return call("echo.v1.Echo/" + method, false, soon(), new Metadata(), begun, answered);
  }

  private static void equal(Object seen, Object expected) {
    if (!Objects.equals(seen, expected)) throw new AssertionError(seen + " instead of " + expected);
  }

  private static void isCode(Outcome outcome, Status.Code code) {
    if (outcome.status.getCode() != code) throw new AssertionError(outcome.status + " instead of " + code);
  }

  private static void echo(int size, CallOptions options) throws InterruptedException {
    var request = new byte[size];
    Arrays.fill(request, (byte) 7);
    var outcome = unary("echo.v1.Echo/Unary", request, options, new Metadata());
    isCode(outcome, Status.Code.OK);
    equal(outcome.answers.size(), 1);
    equal(Arrays.equals(outcome.answers.get(0), request), true);
  }

  private static void failing(String message) throws InterruptedException {
    var text = message.getBytes(StandardCharsets.UTF_8);
    var request = ByteBuffer.allocate(1 + text.length).put((byte) 2).put(text).array();
    var outcome = unary("echo.v1.Echo/Status", request, soon(), new Metadata());
    isCode(outcome, Status.Code.UNKNOWN);
    equal(outcome.status.getDescription(), message);
  }

  private static void customMetadata() throws InterruptedException {
    var binary = new byte[] {0, (byte) 0xab, (byte) 0xff, 0x0a};
    var metadata = new Metadata();
    metadata.put(INITIAL, "initial value");
    metadata.put(TRAILING, binary);
    var outcome = unary("echo.v1.Echo/Unary", new byte[] {1}, soon(), metadata);
    isCode(outcome, Status.Code.OK);
    equal(outcome.header.get(INITIAL), "initial value");
    equal(Arrays.equals(outcome.trailer.get(TRAILING), binary), true);
  }

  private static byte[] uint32s(int... values) {
    var bytes = ByteBuffer.allocate(values.length * 4);
    for (int value : values) bytes.putInt(value);
    return bytes.array();
  }

  private static void cancelAfterBegin() throws InterruptedException {
    var outcome = call("echo.v1.Echo/Sleep", true, soon(), new Metadata(), begun -> {
      begun.call.sendMessage(uint32s(5_000));
      begun.call.halfClose();
      begun.call.cancel("cancelled by the test", null);
    }, (begun, bytes) -> {});
    isCode(outcome, Status.Code.CANCELLED);
  }

  private static void pingPong() throws InterruptedException {
    var sizes = new int[] {27_182, 8, 1_828, 45_904};
    var outcome = streaming("PingPong", begun -> begun.call.sendMessage(new byte[sizes[0]]), (begun, bytes) -> {
      int count = begun.answers.size();
      if (count < sizes.length) begun.call.sendMessage(new byte[sizes[count]]);
      else begun.call.halfClose();
    });
    isCode(outcome, Status.Code.OK);
    equal(outcome.answers.stream().map(bytes -> bytes.length).toList(), List.of(27_182, 8, 1_828, 45_904));
  }

  private static void serverStreaming() throws InterruptedException {
    var outcome = streaming("Stream", begun -> {
      begun.call.sendMessage(uint32s(50, 20_000));
      begun.call.halfClose();
    }, (begun, bytes) -> {});
    isCode(outcome, Status.Code.OK);
    equal(outcome.answers.size(), 50);
    for (byte[] answer : outcome.answers) equal(answer.length, 20_000);
  }

  private static void cancelAfterFirstResponse() throws InterruptedException {
    var outcome = streaming("PingPong", begun -> begun.call.sendMessage(new byte[] {1}),
        (begun, bytes) -> begun.call.cancel("cancelled by the test", null));
    isCode(outcome, Status.Code.CANCELLED);
    equal(outcome.answers.size(), 1);
  }

  private interface Case {
    void run() throws Exception;
  }

  private static void run(String name, Case work) {
    String outcome = "ok";
    try {
      work.run();
    } catch (Exception | AssertionError error) {
      outcome = "failed " + String.valueOf(error).replaceAll("\\s+", " ");
    }
    System.out.println(name + " " + outcome);
  }

  public static void main(String[] arguments) throws Exception {
    channel = NettyChannelBuilder.forAddress(arguments[0], Integer.parseInt(arguments[1])).usePlaintext().build();
    run("empty_unary", () -> echo(0, soon()));
    run("large_unary", () -> echo(256 * 1024, soon()));
    run("gzip_unary", () -> echo(10_000, soon().withCompression("gzip")));
    run("status_code_and_message", () -> failing("test status message"));
    run("special_status_message", () -> failing(SPECIAL));
    run("custom_metadata", Client::customMetadata);
    run("cancel_before_begin", () -> isCode(
        streaming("PingPong", begun -> begun.call.cancel("cancelled by the test", null), (begun, bytes) -> {}),
        Status.Code.CANCELLED));
    run("cancel_after_begin", Client::cancelAfterBegin);
    run("cancel_after_first_response", Client::cancelAfterFirstResponse);
    run("timeout_on_sleeping_server", () -> isCode(
        unary("echo.v1.Echo/Sleep", uint32s(5_000),
            CallOptions.DEFAULT.withDeadlineAfter(50, TimeUnit.MILLISECONDS), new Metadata()),
        Status.Code.DEADLINE_EXCEEDED));
    run("unimplemented_method", () -> isCode(
        unary("echo.v1.Echo/Missing", new byte[0], soon(), new Metadata()), Status.Code.UNIMPLEMENTED));
    run("unimplemented_service", () -> isCode(
        unary("echo.v1.Missing/Unary", new byte[0], soon(), new Metadata()), Status.Code.UNIMPLEMENTED));
    run("server_streaming", Client::serverStreaming);
    run("ping_pong", Client::pingPong);
    run("empty_stream", () -> isCode(
        streaming("PingPong", begun -> begun.call.halfClose(), (begun, bytes) -> {}), Status.Code.OK));
    channel.shutdownNow();
    System.exit(0); // the threads of the transport would keep it for some seconds
  }
}

"""The interoperability cases with grpcio: `client.py HOST:PORT`. Prints `name ok` or `name failed reason`."""

import struct
import sys
import threading

import grpc

channel = grpc.insecure_channel(sys.argv[1])
SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


def path(method):
    return f"/echo.v1.Echo/{method}"


def unary(method, request=b"", timeout=10, **more):
    return channel.unary_unary(method).with_call(request, timeout=timeout, **more)


def streaming(method, requests):
    return channel.stream_stream(method)(requests, timeout=10)


def code_of(work):
    try:
        work()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def equal(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r} instead of {expected!r}")


def empty_unary():
    equal(unary(path("Unary"))[0], b"")


def large_unary():
    request = b"\7" * 256 * 1024
    equal(unary(path("Unary"), request)[0] == request, True)


def gzip_unary():
    request = b"\7" * 10_000
    response, _ = unary(path("Unary"), request, compression=grpc.Compression.Gzip)
    equal(response == request, True)


def status(message):
    try:
        unary(path("Status"), bytes([2]) + message.encode())
    except grpc.RpcError as error:
        equal((error.code(), error.details()), (grpc.StatusCode.UNKNOWN, message))
    else:
        raise AssertionError("the call succeeds")


def status_code_and_message():
    status("test status message")


def special_status_message():
    status(SPECIAL)


def custom_metadata():
    binary = b"\x00\xab\xff\x0a"
    metadata = (("x-echo-initial", "initial value"), ("x-echo-trailing-bin", binary))
    _, call = unary(path("Unary"), b"x", metadata=metadata)
    equal(dict(call.initial_metadata()).get("x-echo-initial"), "initial value")
    equal(dict(call.trailing_metadata()).get("x-echo-trailing-bin"), binary)


def cancel_before_begin():
    hold = threading.Event()

    def requests():
        hold.wait(10)
        yield b""

    # Without a request the server keeps the call open, so it cannot complete before it is canceled.
    call = streaming(path("PingPong"), requests())
    call.cancel()
    equal(code_of(lambda: list(call)), grpc.StatusCode.CANCELLED)
    hold.set()


def cancel_after_begin():
    call = channel.unary_unary(path("Sleep")).future(struct.pack(">I", 5_000), timeout=10)
    threading.Timer(0.02, call.cancel).start()
    try:
        call.result()
    except grpc.FutureCancelledError:
        pass
    equal(call.code(), grpc.StatusCode.CANCELLED)


def cancel_after_first_response():
    hold = threading.Event()

    def requests():
        yield b"first"
        hold.wait(10)

    call = streaming(path("PingPong"), requests())
    equal(next(call), b"first")
    call.cancel()
    equal(code_of(lambda: next(call)), grpc.StatusCode.CANCELLED)
    hold.set()


def timeout_on_sleeping_server():
    slept = lambda: unary(path("Sleep"), struct.pack(">I", 5_000), timeout=0.05)
    equal(code_of(slept), grpc.StatusCode.DEADLINE_EXCEEDED)


def unimplemented_method():
    equal(code_of(lambda: unary(path("Missing"))), grpc.StatusCode.UNIMPLEMENTED)


def unimplemented_service():
    equal(code_of(lambda: unary("/echo.v1.Missing/Unary")), grpc.StatusCode.UNIMPLEMENTED)


def server_streaming():
    answers = streaming(path("Stream"), iter([struct.pack(">II", 50, 20_000)]))
    equal([len(answer) for answer in answers], [20_000] * 50)


def ping_pong():
    sizes = [27_182, 8, 1_828, 45_904]
    turn = threading.Semaphore(1)

    def requests():
        for size in sizes:
            turn.acquire()
            yield bytes(size)

    seen = []
    for answer in streaming(path("PingPong"), requests()):
        seen.append(len(answer))
        turn.release()
    equal(seen, sizes)


def empty_stream():
    equal(list(streaming(path("PingPong"), iter([]))), [])


CASES = [
    empty_unary,
    large_unary,
    gzip_unary,
    status_code_and_message,
    special_status_message,
    custom_metadata,
    cancel_before_begin,
    cancel_after_begin,
    cancel_after_first_response,
    timeout_on_sleeping_server,
    unimplemented_method,
    unimplemented_service,
    server_streaming,
    ping_pong,
    empty_stream,
]

for case in CASES:
    try:
        case()
        outcome = "ok"
    except Exception as error:  # whatever fails is the case's result
        outcome = "failed " + " ".join(f"{type(error).__name__}: {error}".split())
    print(case.__name__, outcome, flush=True)

"""A request that a server has begun to read, and that ends when the test says so.

    wire = begin_request(port, "/path", headers, body)
    …
    wire.sendall(body)
"""

import socket


def begin_request(port, path, headers, body):
    """Sends a POST's head and waits until the server asks for its body: from then on it is under
    way. Returns the connection."""
    wire = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}",
            *[f"{name}: {value}" for name, value in headers.items()],
            "Expect: 100-continue", "Connection: close"]
    wire.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        piece = wire.recv(1)
        if not piece:
            raise AssertionError(f"the server hung up: {answer}")
        answer += piece
    if b" 100 " not in answer:
        raise AssertionError(f"not asked for the body: {answer}")
    return wire

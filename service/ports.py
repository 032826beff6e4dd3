"""The socket that the server listens on, taken before the models load: a taken port is known at once."""

import errno
import socket

from service.errors import PortTaken


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Port 0 takes a free one; `getsockname()` says which. Raises PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise PortTaken(f"The host {host!r} is not known here ({error.strerror}). Try --host 127.0.0.1.") from error
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(address)
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise PortTaken(_explain(host, port, error)) from error
    return taken


def url(listening: socket.socket, host: str) -> str:
    """Where a browser finds a listening socket that was asked for as `host`."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{listening.getsockname()[1]}"


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
            f"quoth serve --port {port + 1 if port < 65535 else port - 1} (--port 0 takes a free one)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights than you have. Choose one above 1023: quoth serve --port 8000."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"The address {host} is not one of this machine's. Try --host 127.0.0.1, or --host 0.0.0.0 for all."
    return f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --host or --port."

"""Ctrl-C at any moment ends the command silently with exit code 130.

Python raises KeyboardInterrupt wherever the main thread is, and libraries print it, turn it into another error, or go on. So
after Ctrl-C nothing more reaches standard error inside `silent_interruption`, and the process ends with 130 however the
exception comes out. It has a few seconds to unwind, which deletes temporary files. A second Ctrl-C ends it at once.

Imports only what Python itself imports anyway, not even `typing`: until this works, Ctrl-C shows a traceback.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

INTERRUPTED = 130
"""The exit code of a command that was stopped with Ctrl-C."""

_UNWINDING_SECONDS = 5.0
_TIDY_LINE = b"\r\x1b[2K\x1b[?25h"  # clears what a progress bar has drawn, and shows the cursor, which it hides


def end_at_once(*_: object) -> None:
    """End the process, also as a handler of SIGINT."""
    _silence()
    os._exit(INTERRUPTED)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Inside the `with` block Ctrl-C ends the process without unwinding: for imports, which leave nothing to delete."""
    if not _is_handled():
        yield
        return
    before = signal.signal(signal.SIGINT, end_at_once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def silent_interruption() -> Iterator[None]:
    """Inside the `with` block Ctrl-C raises KeyboardInterrupt, of which nothing is printed. It ends the process with 130.

    After the block Ctrl-C ends the process at once: Python does nothing more but end, and would print where it was interrupted.
    Once Python frees its memory it would be killed by the signal, so from there on Ctrl-C changes nothing.
    """
    if not _is_handled():
        yield
        return
    interrupted = threading.Event()

    def on_signal(*_: object) -> None:
        if interrupted.is_set():
            end_at_once()
        interrupted.set()
        _silence()
        timer = threading.Timer(_UNWINDING_SECONDS, end_at_once)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    def on_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
        if interrupted.is_set():
            end_at_once()  # a destructor or callback would have lost the exception
        sys.__unraisablehook__(unraisable)

    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGINT, on_signal)
    sys.unraisablehook = on_unraisable
    try:
        yield
    except BaseException:  # whatever KeyboardInterrupt has become
        if not interrupted.is_set():
            raise
    finally:
        signal.signal(signal.SIGINT, end_at_once)
        sys.unraisablehook = sys.__unraisablehook__
    if interrupted.is_set():
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            sys.stdout.flush()
        end_at_once()


def _silence() -> None:
    """Let nothing more reach standard error, not even from C++."""
    if os.isatty(2):
        os.write(2, _TIDY_LINE)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _is_handled() -> bool:
    """Whether Python raises KeyboardInterrupt here: not in other threads, and not where a shell has made SIGINT ignored."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )

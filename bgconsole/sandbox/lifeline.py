"""The server's end of the socket pair between it and the process that started it."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any


class Lifeline:
    """Tells the other side what happens, and knows when the other side is gone, however it went."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self.ended = asyncio.Event()
        """Set at the end of file; set it to end the sandbox from here."""

    def watch(self) -> None:
        """Begin to listen for the end of file, on the running loop."""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def tell(self, **facts: Any) -> None:
        """Send one JSON object; if nobody is there any more, `ended` will say so."""
        with suppress(OSError):
            self._socket.sendall(json.dumps(facts).encode() + b"\n")

    def _read(self) -> None:
        try:
            gone = not self._socket.recv(1024)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            asyncio.get_running_loop().remove_reader(self._socket)
            self.ended.set()

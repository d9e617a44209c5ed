"""A real HTTP mirror on loopback that can misbehave."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Behaviour = Literal["good", "truncating", "corrupting", "stalling", "missing", "failing", "failing once"]


class Mirror(ThreadingHTTPServer):
    """Serves files by name, with the fault that `behaviour` names; keeps the names asked for."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes], behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.behaviour = files, behaviour
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/mnist/"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked.append(name)
        content, behaviour = self.server.files.get(name), self.server.behaviour
        if behaviour == "failing once":
            behaviour = "failing" if self.server.asked.count(name) == 1 else "good"
        if behaviour == "failing":
            self.send_error(503)
            return
        if content is None or behaviour == "missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if behaviour == "corrupting":
            content = content[:20] + bytes([content[20] ^ 1]) + content[21:]
        self.wfile.write(content if behaviour in ("good", "corrupting") else content[: len(content) // 2])
        if behaviour == "stalling":
            time.sleep(5)


@contextmanager
def mirror(files: Mapping[str, bytes], behaviour: Behaviour) -> Iterator[Mirror]:
    server = Mirror(files, behaviour)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

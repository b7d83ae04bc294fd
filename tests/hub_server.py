"""A model hub on this machine: the two answers that a download needs, and ways to go wrong."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


@dataclass(frozen=True)
class Sent:
    """One answer: which file, from which byte it was asked for, how many bytes were sent."""

    file: str
    start: int
    bytes: int


@dataclass
class HubServer:
    """Serves ``files`` under any repository name; everything may be changed between requests."""

    files: dict[str, bytes] = field(repr=False)
    commit: str = COMMIT
    large: frozenset[str] = frozenset()  # listed with a SHA-256, as files in large file storage
    listed_hashes: bool = True
    ranges: bool = True
    damaged: set[str] = field(default_factory=set)  # sent with one byte changed
    cuts: dict[str, list[int]] = field(default_factory=dict)  # bytes to send before hanging up
    hold: threading.Event | None = None  # waited for before hanging up
    held: threading.Event = field(default_factory=threading.Event)
    page: bytes | None = None  # sent in place of the listing
    sent: list[Sent] = field(default_factory=list)

    def __enter__(self) -> HubServer:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def asked(self, file: str) -> list[Sent]:
        """The answers to requests for ``file``, in order."""
        return [s for s in self.sent if s.file == file]

    def listing(self, repository: str) -> bytes:
        """What the hub answers on a model with its files' sizes and hashes."""
        siblings = [self._sibling(name, data) for name, data in self.files.items()]
        return json.dumps({"id": repository, "sha": self.commit, "siblings": siblings}).encode()

    def _sibling(self, name: str, data: bytes) -> dict:
        row: dict = {"rfilename": name, "size": len(data)}
        if self.listed_hashes and name in self.large:
            digest = hashlib.sha256(data).hexdigest()
            row["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
        elif self.listed_hashes:
            row["blobId"] = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        return row


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            repository = path.removeprefix("/api/models/").split("/revision/")[0]
            self._answer(200, self.hub.page or self.hub.listing(repository), {})
        elif f"/resolve/{self.hub.commit}/" in path:
            self._file(path.split(f"/resolve/{self.hub.commit}/")[1])
        else:
            self._answer(404, b"", {})

    def _file(self, name: str) -> None:
        data = self.hub.files[name]
        if name in self.hub.damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        asked = self.headers.get("Range") if self.hub.ranges else None
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        headers = {"Accept-Ranges": "bytes", "X-Repo-Commit": self.hub.commit}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        cuts = self.hub.cuts.get(name)
        end = start + cuts.pop(0) if cuts else len(data)
        self.hub.sent.append(Sent(name, start, min(end, len(data)) - start))
        self._answer(206 if asked else 200, data[start:], headers, end - start)

    def _answer(self, code: int, body: bytes, headers: dict, cut: int | None = None) -> None:
        self.send_response(code)
        for key, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(key, str(value))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None and cut < len(body):
            self.wfile.flush()
            self.close_connection = True
            if self.hub.hold:
                self.hub.held.set()
                self.hub.hold.wait(60)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""

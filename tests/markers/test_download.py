"""PanglaoDB from a server on this machine, held to a hash; nothing else is put in place."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from scmpt_core.cli import app
from scmpt_core.errors import MissingComponent
from scmpt_core.markers import download as module
from scmpt_core.markers import download_panglaodb, open_database, panglaodb
from scmpt_core.progress import silent
from tests.markers.test_databases import HEADER, ROWS

DATA = gzip.compress("\n".join([HEADER, *ROWS]).encode(), mtime=0)


@pytest.fixture
def published(monkeypatch):
    """The small file stands for the published one."""
    digest = hashlib.sha256(DATA).hexdigest()
    monkeypatch.setattr(module, "SHA256", digest)
    monkeypatch.setattr(panglaodb, "SHA256", digest)


@pytest.fixture
def server():
    """Answers with ``server.body``, labelled as an encoding, as some servers label any .gz."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.agents.append(self.headers["User-Agent"])
            self.send_response(self.server.code)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(self.server.body)))
            self.end_headers()
            try:
                for start in range(0, len(self.server.body), 10_000):
                    self.server.sent += self.wfile.write(self.server.body[start : start + 10_000])
            except ConnectionError:  # the client hung up
                pass
            finally:
                self.server.done.set()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        web.body, web.code, web.agents = DATA, 200, []
        web.sent, web.done = 0, threading.Event()
        thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        web.url = f"http://127.0.0.1:{web.server_port}/markers.tsv.gz"
        yield web
        web.shutdown()
        thread.join()


def test_the_download_is_used(published, server, home):
    result = download_panglaodb(silent, url=server.url)
    assert server.agents[0].startswith("Mozilla")
    assert (home / "markers" / "panglaodb" / panglaodb.FILE).read_bytes() == DATA
    assert result["files"][panglaodb.FILE]["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert open_database("panglaodb").version == "27 March 2020"


def test_another_file_is_refused_and_the_old_one_stays(published, server, home):
    download_panglaodb(silent, url=server.url)
    server.body = DATA[:-1] + b"x"
    with pytest.raises(MissingComponent, match=r"not .* as published"):
        download_panglaodb(silent, url=server.url)
    folder = home / "markers" / "panglaodb"
    assert [path.name for path in folder.iterdir()] == [panglaodb.FILE]
    assert (folder / panglaodb.FILE).read_bytes() == DATA


def test_no_answer_says_how_to_do_without(server):
    server.code = 403
    with pytest.raises(MissingComponent, match=r"403.*SCMPT_PANGLAODB_FILE"):
        download_panglaodb(silent, url=server.url)
    with pytest.raises(MissingComponent, match=r"could not be downloaded.*--from FILE"):
        download_panglaodb(silent, url="http://127.0.0.1:9/none")


def test_an_endless_answer_ends(published, server, monkeypatch, home):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    server.body = bytes(50_000_000)  # more than the sockets between the two hold
    with pytest.raises(MissingComponent, match="sends more than 1,000 bytes"):
        download_panglaodb(silent, url=server.url)
    assert server.done.wait(10)
    assert server.sent < len(server.body)
    assert not list((home / "markers" / "panglaodb").iterdir())


def test_from_a_file_or_folder_on_the_command_line(published, tmp_path, home):
    (tmp_path / panglaodb.FILE).write_bytes(DATA)
    for source in (tmp_path / panglaodb.FILE, tmp_path):
        done = CliRunner().invoke(app, ["download", "panglaodb", "--from", str(source), "--json"])
        assert done.exit_code == 0
        assert json.loads(done.stdout)["folder"] == str(home / "markers" / "panglaodb")
    with pytest.raises(MissingComponent, match="is not a file"):
        download_panglaodb(silent, tmp_path / "absent")

"""Downloads, against a server on the loopback address: whole and right, or not there at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import sys
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.data import data_directory, download, images, load_cifar10, load_mnist
from shared.data.download import Remote, fetch
from shared.errors import DataError

CONTENT = bytes(range(256)) * 1000


class Server:
    """What it offers by path: (status, body, announced length or None), and what was asked for."""

    def __init__(self) -> None:
        self.offers: dict[str, tuple[int, bytes, int | None]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body, length = outer.offers.get(self.path, (404, b"no such file", None))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Silence."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def offer(self, path: str, body: bytes, status: int = 200, length: int | None = None) -> str:
        self.offers[path] = status, body, length
        return self.address + path

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "*")
    found = Server()
    yield found
    found.close()


def remote(*mirrors: str, content: bytes = CONTENT, **more: Any) -> Remote:
    return Remote("set/file.bin", mirrors, hashlib.sha256(content).hexdigest(), len(content), **more)


def on_disk(tmp_path: Path) -> list[str]:
    return sorted(
        str(p.relative_to(tmp_path / "data")) for p in (tmp_path / "data").rglob("*") if p.is_file()
    )


# --- files that come right -----------------------------------------------------------------


def test_a_file_is_downloaded_once_and_kept_whole(server: Server, tmp_path: Path) -> None:
    wanted = remote(server.offer("/a", CONTENT))
    path = fetch(wanted)
    assert path == tmp_path / "data" / "set" / "file.bin"
    assert path.read_bytes() == CONTENT
    assert fetch(wanted) == path
    assert server.asked == ["/a"]
    assert on_disk(tmp_path) == ["set/file.bin"]


def test_what_a_compressed_file_holds_is_checked_however_it_was_compressed(server: Server) -> None:
    for level in (1, 9):
        wanted = remote(server.offer(f"/{level}", gzip.compress(CONTENT, level)), opened=gzip.open)
        path = fetch(wanted)
        assert gzip.decompress(path.read_bytes()) == CONTENT
        path.unlink()


def refused() -> str:
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


@pytest.mark.parametrize(
    "first", ["missing", "other", "truncated", "cut", "too long", "broken", "refused", "nonsense"]
)
def test_the_next_mirror_is_tried_when_one_does_not_give_the_file(
    server: Server, tmp_path: Path, first: str
) -> None:
    packed = gzip.compress(CONTENT)
    bad = {
        "missing": lambda: server.address + "/nothing",
        "other": lambda: server.offer("/bad", gzip.compress(CONTENT[::-1])),
        "truncated": lambda: server.offer("/bad", packed[:-100], length=len(packed)),
        "cut": lambda: server.offer("/bad", packed[:-100]),
        "too long": lambda: server.offer("/bad", gzip.compress(CONTENT + b"!")),
        "broken": lambda: server.offer("/bad", b"<html>you must sign in</html>"),
        "refused": refused,
        "nonsense": lambda: "gopher://127.0.0.1/x",
    }
    path = fetch(remote(bad[first](), server.offer("/good", packed), opened=gzip.open))
    assert path.read_bytes() == packed
    assert on_disk(tmp_path) == ["set/file.bin"]


# --- files that do not ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "more", "words"),
    [
        (CONTENT[::-1], {}, "is not the file that it should be (its sha256 is "),
        (CONTENT[:-100], {"length": len(CONTENT)}, "stopped after 255,900 of 256,000 bytes"),
        (CONTENT[:-100], {}, "is cut off: it holds 255,900 of 256,000 bytes"),
        (CONTENT + b"!", {}, "holds more than the 256,000 bytes that it should"),
        (CONTENT * 3, {}, "which the file can not have"),
        (b"busy", {"status": 503}, "failed (HTTP Error 503"),
    ],
)
def test_a_wrong_file_is_never_kept_and_the_error_names_file_mirrors_reason_and_cure(
    server: Server, tmp_path: Path, body: bytes, more: dict[str, int], words: str
) -> None:
    first, second = server.offer("/first", body, **more), server.address + "/second"
    with pytest.raises(DataError) as caught:
        fetch(remote(first, second))
    text = str(caught.value)
    assert f"set/file.bin could not be downloaded: {first} " in text
    assert words in text
    assert f"{second} failed (HTTP Error 404" in text
    assert f"put the file at {tmp_path / 'data' / 'set' / 'file.bin'} yourself" in text
    assert isinstance(caught.value, OSError)
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(CONTENT)[:-50], "is cut off"),
        (gzip.compress(CONTENT[:-1]), "is cut off: it holds 255,999 of 256,000 bytes"),
        (gzip.compress(CONTENT * 2), "holds more than the 256,000 bytes"),
        (gzip.compress(CONTENT[::-1]), "is not the file that it should be"),
        (b"\x1f\x8b\x08" + bytes(100), "can not be read"),
        (b"", "is cut off"),
    ],
)
def test_a_kept_file_is_checked_before_every_use(
    server: Server, tmp_path: Path, content: bytes, words: str
) -> None:
    """It may be the user's own: it is named, and neither used nor replaced."""
    path = tmp_path / "data" / "set" / "file.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        fetch(remote(server.offer("/a", gzip.compress(CONTENT)), opened=gzip.open))
    assert str(caught.value).startswith(f"{path} {words}")
    assert "; delete it, and it will be downloaded again" in str(caught.value)
    assert path.read_bytes() == content
    assert server.asked == []


def test_an_interrupted_download_leaves_nothing_behind(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(download.Progress, "show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(remote(server.offer("/a", CONTENT)))
    assert on_disk(tmp_path) == []


def test_two_downloads_at_once_do_not_disturb_each_other(server: Server, tmp_path: Path) -> None:
    wanted = remote(server.offer("/a", CONTENT))
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(wanted))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == CONTENT for path in found] == [True] * 4
    assert on_disk(tmp_path) == ["set/file.bin"]


def test_a_directory_that_can_not_be_written_to_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path / "taken"))
    with pytest.raises(DataError, match=r"taken/set can not be written to .*; set DIPTYCH_DATA"):
        fetch(remote(server.offer("/a", CONTENT)))


# --- where, and what is shown --------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"DIPTYCH_DATA": "/elsewhere"}, "/elsewhere"),
        ("linux", {"XDG_CACHE_HOME": "/cache"}, "/cache/diptych"),
        ("linux", {}, "/home/me/.cache/diptych"),
        ("darwin", {}, "/home/me/Library/Caches/diptych"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/diptych"),
        ("win32", {}, "/home/me/AppData/Local/diptych"),
    ],
)
def test_data_is_kept_where_the_platform_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    for name in ("DIPTYCH_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert data_directory() == Path(expected)


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(
    server: Server, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", shown)
    fetch(remote(server.offer("/a", CONTENT)))
    text = shown.getvalue()
    assert bool(text) == terminal
    if terminal:
        assert text.endswith(f"\rfile.bin  [{'#' * 30}] 100 % of 0.3 MB\n")


# --- data sets -----------------------------------------------------------------------------


def idx(array: Any) -> bytes:
    """An array of bytes as an IDX file, by the format's description."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def test_mnist_is_put_together_from_its_four_files(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 256, shape) for shape in ((5, 28, 28), (5,), (3, 28, 28), (3,))]
    monkeypatch.setattr(images, "_MNIST", [
        Remote(f"mnist/{i}.gz", (server.offer(f"/{i}", gzip.compress(idx(part))),),
               hashlib.sha256(idx(part)).hexdigest(), len(idx(part)), gzip.open)
        for i, part in enumerate(parts)
    ])  # fmt: skip
    found = load_mnist()
    assert found.train_x.dtype == np.float32
    np.testing.assert_allclose(found.train_x, parts[0][:, None] / 255, rtol=1e-6)
    assert (load_mnist("uint8").test_x == parts[2][:, None]).all()
    assert found.train_y.dtype == np.int64
    assert (found.test_y == parts[3]).all()
    with pytest.raises(ValueError, match="dtype must be a float dtype or 'uint8'"):
        load_mnist("int32")


def archive(members: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return out.getvalue()


def cifar(rows: int, seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, (rows, 3073)).astype(np.uint8).tobytes()


NAMES = [
    *(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6)),
    "cifar-10-batches-bin/test_batch.bin",
]


def offer_cifar(server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    offered = Remote("cifar-10/c.tar.gz", (server.offer("/c", content),), digest, len(content))
    monkeypatch.setattr(images, "_CIFAR10", offered)


def test_cifar_is_read_from_its_archive_and_nothing_is_unpacked(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = {name: cifar(2, i) for i, name in enumerate(NAMES)}
    stray = {"../../escaped": b"!", "/etc/escaped": b"!"}
    offer_cifar(server, monkeypatch, archive({**stray, **members}))
    found = load_cifar10("uint8")
    assert found.train_x.shape == (10, 3, 32, 32)
    assert found.test_x.shape == (2, 3, 32, 32)
    row = np.frombuffer(members[NAMES[1]], np.uint8)[3073:]
    assert found.train_y[3] == row[0]
    assert (found.train_x[3].reshape(-1) == row[1:]).all()
    np.testing.assert_allclose(load_cifar10().train_x, found.train_x / 255, rtol=1e-6)
    assert on_disk(tmp_path) == ["cifar-10/c.tar.gz"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive({name: cifar(2, 0) for name in NAMES[:-1]}), "lacks cifar-10-batches-bin/test_batch.bin"),
        (archive({n: cifar(2, 0) for n in NAMES[:-1]}, {NAMES[-1]: "/etc/passwd"}), "lacks cifar-10"),
        (archive({name: cifar(2, 0) for name in NAMES})[:-2000], "can not be read"),
        (b"no archive", "can not be read"),
    ],
    ids=["missing", "a link", "cut", "other"],
)
def test_an_archive_that_is_not_what_it_should_be_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    offer_cifar(server, monkeypatch, content)
    with pytest.raises(DataError, match=words):
        load_cifar10()


def kept(folder: str) -> bool:
    return (data_directory() / folder / "train-images-idx3-ubyte.gz").exists()


@pytest.mark.skipif(
    not kept("mnist"), reason="MNIST is not in the data directory (DIPTYCH_DATA), and is large"
)
def test_the_real_mnist() -> None:
    found = load_mnist("uint8")
    assert [part.shape for part in found] == [(60000, 1, 28, 28), (60000,), (10000, 1, 28, 28), (10000,)]
    assert np.bincount(found.train_y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    shares = np.bincount(found.train_x.reshape(-1), minlength=256) / found.train_x.size
    ink = np.arange(256) / 255
    mean = shares @ ink
    assert round(mean, 4) == 0.1307
    assert round(np.sqrt(shares @ (ink - mean) ** 2), 4) == 0.3081


@pytest.mark.skipif(
    not kept("fashion-mnist"),
    reason="Fashion-MNIST is not in the data directory (DIPTYCH_DATA), and is large",
)
def test_the_real_fashion_mnist() -> None:
    found = images.load_fashion_mnist("uint8")
    assert [part.shape for part in found] == [(60000, 1, 28, 28), (60000,), (10000, 1, 28, 28), (10000,)]
    assert np.bincount(found.train_y).tolist() == [6000] * 10

"""Data blocks: ranges, lengths, streams, and damaged files."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request

from rehearsal.node.htsget.data_endpoint import stream

from .conftest import BLOCKS, ID, SAMPLES, app_of, call, write_block

WHOLE = f"/htsget/data/{ID}/{BLOCKS[1].id}.bcf?start=1050000&end=1150000"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 35_000), size=st.integers(1, 80_000), form=st.sampled_from("abc"))
def test_any_range_is_the_same_bytes_as_in_the_whole(either, first, size, form):
    _, headers, whole = call(either, WHOLE)
    assert int(headers["content-length"]) == len(whole) > 40_000
    wanted = {
        "a": (f"bytes={first}-{first + size - 1}", whole[first : first + size]),
        "b": (f"bytes={first}-", whole[first:]),
        "c": (f"bytes=-{size}", whole[-size:]),
    }
    text, expected = wanted[form]
    status, headers, body = call(either, WHOLE, headers={"Range": text})
    assert status == 206
    assert body == expected
    begin = len(whole) - len(body) if form == "c" else first
    assert headers["content-range"] == f"bytes {begin}-{begin + len(body) - 1}/{len(whole)}"


@pytest.mark.parametrize("text", ["bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(app, text):
    length = call(app, WHOLE)[1]["content-length"]
    status, headers, body = call(app, WHOLE, headers={"Range": text})
    assert (status, headers["content-range"], body) == (416, f"bytes */{length}", b"")
    assert headers["content-length"] == "0"


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=x-"])
def test_what_is_not_one_range_gets_everything(app, text):
    assert call(app, WHOLE, headers={"Range": text})[0] == 200


def test_head_tells_the_length_without_the_bytes(app):
    length = call(app, WHOLE)[1]["content-length"]
    status, headers, body = call(app, WHOLE, method="HEAD")
    assert (status, headers["content-length"], body) == (200, length, b"")
    assert headers["accept-ranges"] == "bytes"


def test_a_stream_wants_http_1_1():
    old = Request({"type": "http", "method": "GET", "http_version": "1.0"})
    with pytest.raises(HTTPException) as refused:
        asyncio.run(stream(old, lambda: iter([b"BCF"])))
    assert refused.value.status_code == 505


def test_head_of_a_stream_tells_no_length(app):
    target = f"/htsget/data/{ID}/{BLOCKS[1].id}.vcf.gz"
    status, headers, body = call(app, target, method="HEAD")
    assert (status, body) == (200, b"")
    assert "content-length" not in headers


def test_a_missing_index_is_an_error_and_told_without_insides(plain_folder, tmp_path, caplog):
    (tmp_path / "genomes").mkdir()
    name = f"{BLOCKS[1].id}.bcf"
    (tmp_path / "genomes" / name).write_bytes((plain_folder / "genomes" / name).read_bytes())
    broken = app_of(tmp_path)
    for suffix in ("bcf", "vcf.gz"):
        target = f"/htsget/data/{ID}/{BLOCKS[1].id}.{suffix}?start=1050000&end=1060000"
        status, _, body = call(broken, target)
        assert (status, orjson.loads(body)["htsget"]["error"]) == (500, "InternalServerError")
        assert str(tmp_path) not in body.decode()
        assert f"{name}.csi" in caplog.text


def test_files_of_other_people_are_not_joined(plain_folder, tmp_path, caplog):
    (tmp_path / "genomes").mkdir()
    for path in (plain_folder / "genomes").iterdir():
        (tmp_path / "genomes" / path.name).write_bytes(path.read_bytes())
    write_block(tmp_path / "genomes", BLOCKS[0], 1, SAMPLES[::-1])
    status, _, _ = call(app_of(tmp_path), f"/htsget/data/{ID}/header.bcf")
    assert status == 500
    assert "expected the header of" in caplog.text


@pytest.mark.parametrize("bad", ["start=x", "end=-1", "after=99999999999", "number=1.0"])
def test_bad_numbers_of_a_data_block_are_400(app, bad):
    assert call(app, f"/htsget/data/{ID}/{BLOCKS[1].id}.bcf?{bad}")[0] == 400


def test_a_stream_has_ranges_too(app):
    """A VCF is made while it is sent. Ticket clients may split any block (htsget 1.3, HTTPS data
    block URLs, 10), and resume it.
    """
    target = f"/htsget/data/{ID}/{BLOCKS[1].id}.vcf.gz"
    status, headers, whole = call(app, target)
    assert (status, headers["accept-ranges"]) == (200, "bytes")
    parts = []
    for text in ("bytes=0-99", "bytes=100-4999", "bytes=5000-"):
        status, headers, part = call(app, target, headers={"Range": text})
        first = sum(map(len, parts))
        assert status == 206
        last = first + len(part) - 1
        assert headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
        parts.append(part)
    assert b"".join(parts) == whole
    status, headers, part = call(app, target, headers={"Range": f"bytes={len(whole)}-"})
    assert (status, headers["content-range"], part) == (416, f"bytes */{len(whole)}", b"")

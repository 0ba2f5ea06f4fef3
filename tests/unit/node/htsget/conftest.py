"""A node with genomes in many blocks, and a client that joins the pieces of a ticket."""

from __future__ import annotations

import asyncio
import base64
import random
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import orjson
import pysam
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from rehearsal.formats.crypt4gh import encrypt_at_rest
from rehearsal.model import Block
from rehearsal.node.htsget import app as htsget
from rehearsal.node.settings.node_settings import NodeSettings

ID = "GDI-FI-REHEARSAL-1"
SAMPLES = [f"FI-{i + 1:06d}" for i in range(3000)]
BLOCKS = (
    Block("chr2", 0, 100_000),
    Block("chr17", 1_000_000, 1_200_000),
    Block("chr17", 1_200_000, 1_300_000),
    Block("chrX", 500_000, 600_000),
)
RECORDS = 100  # in a block: several BGZF blocks
LENGTH = 83_257_441


def write_block(folder, block: Block, seed: int, samples=SAMPLES) -> None:
    """A block's BCF as htslib writes it: one contig in the header, deletions among the records."""
    chance = random.Random(seed)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID={block.contig},length={LENGTH}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join([*fixed, *samples]),
    ]
    for start in sorted(chance.sample(range(block.start, block.end - 2000), RECORDS)):
        ref = "A" * chance.choice((1, 1, 2, 500, 1999))
        calls = chance.choices(("0|0", "0|1", "1|0", "1|1"), k=len(SAMPLES))
        row = [block.contig, str(start + 1), ".", ref, "C", ".", ".", ".", "GT", *calls]
        lines.append("\t".join(row))
    write_bcf(folder, block, lines)


def write_bcf(folder, block: Block, lines: list[str]) -> None:
    text = folder.parent / "block.vcf"
    text.write_text("\n".join(lines) + "\n")
    path = str(folder / f"{block.id}.bcf")
    with (
        pysam.VariantFile(str(text)) as rows,
        pysam.VariantFile(path, "wb", header=rows.header) as out,
    ):
        for record in rows:
            out.write(record)
    pysam.tabix_index(path, preset="bcf", csi=True, force=True)


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("htsget") / "FI"
    (folder / "genomes").mkdir(parents=True)
    for seed, block in enumerate(BLOCKS):
        write_block(folder / "genomes", block, seed)
    return folder


@pytest.fixture(scope="session")
def oracle(plain_folder):
    """All records of the node: (contig, start, end, text), in order, read by htslib itself."""
    rows = []
    for block in BLOCKS:
        with pysam.VariantFile(str(plain_folder / "genomes" / f"{block.id}.bcf")) as reader:
            rows += [(one.contig, one.start, one.stop, str(one)) for one in reader]
    return rows


def app_of(folder) -> Starlette:
    settings = NodeSettings.for_country("FI", "Finland")
    node_data = SimpleNamespace(
        settings=settings,
        people=SimpleNamespace(path=folder / "people.sqlite"),
        variants=SimpleNamespace(individuals=SAMPLES),
    )
    return Starlette(routes=[Mount("/htsget", htsget.htsget_app(node_data))])


@pytest.fixture(scope="session")
def app(plain_folder):
    return app_of(plain_folder)


@pytest.fixture(scope="session")
def encrypted_app(plain_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encrypted") / "FI"
    (folder / "genomes").mkdir(parents=True)
    for path in (plain_folder / "genomes").iterdir():
        (folder / "genomes" / path.name).write_bytes(path.read_bytes())
    encrypt_at_rest(folder)
    return app_of(folder)


@pytest.fixture(autouse=True)
def everybody(monkeypatch):
    """Everyone may read everything, unless a test changes that."""
    monkeypatch.setattr(htsget, "may_read", lambda request, dataset: ())


def call(app, target, body=None, method=None, headers=None):
    """Send one request without a socket; returns (status, headers, body)."""
    url = urlsplit(target)
    sent = []
    fields = {"host": "node.example", **(headers or {})}
    scope = {
        "type": "http",
        "method": method or ("GET" if body is None else "POST"),
        "path": url.path,
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "scheme": "http",
        "server": ("node.example", 80),
        "root_path": "",
    }

    waiting = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive():
        if waiting:
            return waiting.pop()
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    answer = b"".join(message.get("body", b"") for message in rest)
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, answer


def ticket(app, regions=None, headers=None, **parameters):
    """Get the ticket for GET parameters or for POST regions."""
    if regions is not None:
        body = orjson.dumps({**parameters, "regions": regions})
        status, told, answer = call(app, f"/htsget/variants/{ID}", body, headers=headers)
    else:
        target = f"/htsget/variants/{ID}?{urlencode(parameters)}"
        status, told, answer = call(app, target, headers=headers)
    assert status == 200, answer
    assert told["content-type"] == "application/vnd.ga4gh.htsget.v1.3.0+json"
    return orjson.loads(answer)["htsget"]


def fetch(app, one: dict) -> bytes:
    """Fetch one URL of a ticket."""
    if one["url"].startswith("data:"):
        return base64.b64decode(one["url"].partition(";base64,")[2])
    status, _, body = call(app, one["url"], headers=one.get("headers"))
    assert status == 200, body
    return body


def put_together(app, told: dict) -> bytes:
    return b"".join(fetch(app, one) for one in told["urls"])


def records(app, tmp_path, regions=None, **parameters):
    """Records of the file that a client writes, read by htslib: (contig, start, end, text)."""
    path = tmp_path / "region"
    path.write_bytes(put_together(app, ticket(app, regions, **parameters)))
    with pysam.VariantFile(str(path)) as reader:
        assert list(reader.header.samples) == SAMPLES
        return [(one.contig, one.start, one.stop, str(one)) for one in reader]


def overlapping(oracle, *places):
    return [
        row
        for row in oracle
        if any(row[0] == c and row[1] < end and row[2] > start for c, start, end in places)
    ]


@pytest.fixture(params=["BCF", "VCF"])
def fmt(request):
    return request.param


@pytest.fixture(params=["plain", "encrypted"])
def either(request, app, encrypted_app):
    return app if request.param == "plain" else encrypted_app

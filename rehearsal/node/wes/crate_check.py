"""Checks that the Five Safes RO-Crate of a request asks for what its form does."""

from __future__ import annotations

from rehearsal.errors import shown
from rehearsal.formats.five_safes_crate import FILE_NAME, CrateError, read_crate
from rehearsal.node.wes.algorithms import Algorithm
from rehearsal.node.wes.request import ATTACHMENT, RunRequest
from rehearsal.web.problem import Problem

ZIPPED = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")  # first bytes of ZIP and gzip
ARCHIVES = (".zip", ".eln", ".tar", ".tgz", ".gz")  # ends of names
GRAPH = b"@graph"  # which every crate has


def check_crate(request: RunRequest, algorithm: Algorithm, purpose: str) -> None:
    """Check the crate of a request, if it has one.

    Args:
        request: The request.
        algorithm: The algorithm that its form names.
        purpose: The purpose that it states in its header.

    Raises:
        Problem: The attachment is no such crate, or differs from the request (400).
    """
    content = _crate_of(request)
    if content is None:
        return
    try:
        crate = read_crate(content)
    except CrateError as error:
        raise Problem(str(error), 400) from None  # its text has the form of mismatches
    for what, asked, said in (
        ("the algorithm", algorithm.digest, crate.digest),
        ("the purpose", purpose.partition(" ")[0].partition(",")[0], crate.purpose),
        ("the parameters", dict(request.parameters), dict(crate.parameters)),
    ):
        if asked != said:
            expected = f"{what} of the request, {shown(asked)}"
            raise Problem.mismatch(FILE_NAME, expected, shown(said))


def _crate_of(request: RunRequest) -> bytes | None:
    """Find the crate among the attachments, whatever its name is. Raises Problem (400)."""
    found = []
    for name, content in request.attachments.items():
        base = name.replace("\\", "/").rpartition("/")[2].strip().lower()
        if content.startswith(ZIPPED) or base.endswith(ARCHIVES):
            expected = f"no archive, and of a crate its {FILE_NAME}"
            raise Problem.mismatch(ATTACHMENT, expected, shown(name))
        if base == FILE_NAME or GRAPH in content:
            found.append(content)
    if len(found) > 1:
        raise Problem.mismatch(ATTACHMENT, "one crate", f"{len(found)} crates")
    return found[0] if found else None

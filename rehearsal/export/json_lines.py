"""Messages as gzipped JSON, one per line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from rehearsal.files import atomic_path
from rehearsal.formats.gzip_stream import open_gzip


def write_json_lines(messages: Iterable[Mapping[str, Any]], path: Path | str) -> int:
    """Write messages into one gzipped file, one per line, as they come.

    The same messages give the same bytes.

    Args:
        messages: What to write.
        path: The file, usually ``.jsonl.gz``.

    Returns:
        The number of messages written.
    """
    number = 0
    with atomic_path(path) as aside, open_gzip(aside) as stream:
        for message in messages:
            stream.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
            number += 1
    return number

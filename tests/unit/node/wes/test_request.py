"""Forms of requests: as clients write them, and as those who want to stop the node do."""

import asyncio

import pytest
import requests
from aiohttp import FormData

from rehearsal.node.wes.request import read_run_request
from rehearsal.web.problem import Problem

WANTED = {"workflow_type": "SMK", "workflow_type_version": "1.0", "workflow_url": "counting"}
FORM = "multipart/form-data; boundary=xx"


def test_the_forms_of_requests_and_urllib3_are_read():
    files = {"workflow_attachment": ("données.json", b"{}\r\n--x", "application/json")}
    made = requests.Request("POST", "http://node/runs", data=WANTED, files=files).prepare()
    asked = read_run_request(made.headers["content-type"], made.body)
    assert asked.workflow_url == "counting"
    assert list(asked.attachments.values()) == [b"{}\r\n--x"]


def test_the_form_of_aiohttp_is_read():
    form = FormData(WANTED)
    form.add_field("workflow_attachment", b"{}", filename="ro-crate-metadata.json")
    made = form()
    body = asyncio.run(made.as_bytes())
    asked = read_run_request(made.headers["content-type"], body)
    assert asked.attachments == {"ro-crate-metadata.json": b"{}"}


def parts(*heads):
    """The body of a form with the header fields of each part."""
    return b"".join(f"--xx\r\n{one}\r\n\r\nv\r\n".encode() for one in heads) + b"--xx--\r\n"


NAMED = 'Content-Disposition: form-data; name="tags"'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (parts(NAMED + "; x=1" * 20_000), "the form: expected headers of at most 1024 bytes"),
        (parts(NAMED + "=?utf-8?q?a?=" * 20_000), "the form: expected headers of at most 1024"),
        (parts(*[NAMED] * 9000), "the form: expected at most 100 parts, found 9000"),
        (parts("Content-Disposition: " + "(" * 500), "the form: expected parts with a name"),
        (parts(NAMED + "\r\nContent-Transfer-Encoding: base64"), "the form: expected parts with"),
        (parts(NAMED)[:-6], "the body: expected a form of type multipart/form-data"),
        (b"", "the body: expected a form of type multipart/form-data"),
    ],
)
def test_forms_that_would_take_long_are_refused_at_once(body, said):
    with pytest.raises(Problem) as caught:
        read_run_request(FORM, body)
    assert caught.value.message.startswith(said)

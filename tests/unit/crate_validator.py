"""roc-validator judges our crates, without the web."""

import io
from pathlib import Path

import pytest
import requests
import rocrate
from urllib3 import HTTPResponse


class OnlyTheContext(requests.adapters.BaseAdapter):
    """The web as the validator sees it: the JSON-LD context of RO-Crate, which ro-crate-py has."""

    def send(self, request, **_):
        content = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_bytes()
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.headers["Content-Type"] = "application/ld+json"
        answer.raw = HTTPResponse(io.BytesIO(content), status=200, preload_content=False)
        return answer

    def close(self):
        pass


@pytest.fixture
def offline(tmp_path):
    """A cache of web pages for roc-validator, with what it asks for."""
    cached = pytest.importorskip("requests_cache", reason="roc-validator is not installed")
    path = tmp_path / "pages"
    with cached.CachedSession(str(path), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", OnlyTheContext())
        for version in ("1.2", "1.3"):
            session.get(f"https://w3id.org/ro/crate/{version}/context")
    return str(path)


def issues(crate, pages, severity, profile=None):
    """What the validator finds in the folder of a crate: pairs of severity and message."""
    services = pytest.importorskip("rocrate_validator.services", reason="it is not installed")
    models = pytest.importorskip("rocrate_validator.models")
    least = models.Severity[severity]
    settings = {"requirement_severity": least, "offline": True, "cache_path": pages}
    settings |= {"profile_identifier": profile} if profile else {}
    result = services.validate(models.ValidationSettings(rocrate_uri=str(crate), **settings))
    return [(one.severity.name, one.message) for one in result.get_issues(least)]

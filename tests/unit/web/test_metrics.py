"""The operator's metrics: their text is read by a parser that is written from the specification.

https://prometheus.io/docs/instrumenting/exposition_formats/, text format 0.0.4.
"""

import asyncio
import math
import re

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rehearsal.web.app import Api, Json
from rehearsal.web.forwarded import ProxySettings, behind_proxy
from rehearsal.web.metrics import MEDIA_TYPE, MeteredApp, Metric, process_metrics, write_metrics
from rehearsal.web.problem import Problem

from .test_forwarded import scope_of

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL},?)*)\}})? (\S+)")
PAIRS = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def unescaped(text):
    return re.sub(r'\\[\\"n]', lambda match: PAIRS[match[0]], text)


def parse(text):
    """Samples by name and sorted labels, and the type of each metric. Fails on any other text."""
    assert text.endswith("\n"), "the last line must end with a line feed"
    samples, kinds, helped, family = {}, {}, set(), None
    for line in text.splitlines():
        if match := re.fullmatch(rf"# HELP ({NAME}) (.*)", line):
            assert match[1] not in helped, "only one HELP line per metric"
            helped.add(match[1])
        elif match := re.fullmatch(
            rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)", line
        ):
            assert match[1] not in kinds, "only one TYPE line, before the samples"
            family, kinds[match[1]] = match[1], match[2]
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            endings = ("_bucket", "_sum", "_count") if kinds[family] == "histogram" else ("",)
            assert match[1] in {family + ending for ending in endings}, "one group per metric"
            labels = {name: unescaped(value) for name, value in re.findall(LABEL, match[2] or "")}
            key = (match[1], *sorted(labels.items()))
            assert key not in samples, "one sample per set of labels"
            samples[key] = float(match[5].replace("Inf", "inf"))
    for family, kind in kinds.items():
        if kind == "histogram":
            check_histogram(family, samples)
    return samples, kinds


def check_histogram(family, samples):
    series = {}
    for (name, *labels), value in samples.items():
        if name == f"{family}_bucket":
            labels = dict(labels)
            bound = float(labels.pop("le").replace("Inf", "inf"))
            series.setdefault(tuple(labels.items()), []).append((bound, value))
    for labels, buckets in series.items():
        assert buckets == sorted(buckets), "bounds and sums only grow"
        assert buckets[-1] == (math.inf, samples[f"{family}_count", *labels])
        assert (f"{family}_sum", *labels) in samples


@pytest.fixture
def app():
    async def answer(request):
        return Json("yes")

    async def refuse(request):
        raise Problem("no", 403)

    async def fail(request):
        raise RuntimeError

    async def below(request):
        return PlainTextResponse("below")

    api = Api(lambda status, message: {"error": message}, "node")
    api.add("/things/{id}", answer)
    api.add("/refused", refuse)
    api.add("/broken", fail)
    api.mount("/other", Starlette(routes=[Route("/{id}/page", below)]))
    return api


def request(app, path, *headers, peer="127.0.0.1"):
    """(status, headers, body) of the answer."""
    said = []

    async def send(message):
        said.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = scope_of(headers or [("Host", "127.0.0.1:8080")], peer, path)
    try:
        asyncio.run(app(scope | {"server": ("127.0.0.1", 8080)}, receive, send))
    except RuntimeError:
        assert said[0]["status"] == 500
    return said[0]["status"], dict(said[0]["headers"]), said[-1]["body"].decode()


def read(app):
    status, headers, body = request(app, "/metrics")
    assert (status, headers[b"content-type"]) == (200, MEDIA_TYPE)
    return parse(body)[0]


def requests(samples):
    return {
        (dict(labels)["route"], dict(labels)["status"]): value
        for (name, *labels), value in samples.items()
        if name == "rehearsal_requests_total"
    }


def test_requests_are_counted_by_template_and_class_of_status(app):
    metered = MeteredApp(app)
    paths = ("/things/1", "/things/2", "/refused", "/broken", "/other/7/page", "/nowhere/secret")
    for path in paths:
        request(metered, path)
    samples = read(metered)
    assert requests(samples) == {
        ("/things/{id}", "2xx"): 2,
        ("/refused", "4xx"): 1,
        ("/broken", "5xx"): 1,
        ("/other/{id}/page", "2xx"): 1,
        ("other", "4xx"): 1,
    }
    assert samples["rehearsal_request_seconds_count", ("route", "/things/{id}")] == 2
    assert not any("secret" in str(key) for key in samples)


def test_templates_have_no_prefix(app):
    metered = MeteredApp(behind_proxy(app, ProxySettings(prefix="/v2.0.0")))
    for path in ("/v2.0.0/things/1", "/things/1", "/v2.0.0/other/7/page"):
        request(metered, path)
    assert requests(read(metered)) == {("/things/{id}", "2xx"): 2, ("/other/{id}/page", "2xx"): 1}


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        ([("Host", "127.0.0.1:8080")], "203.0.113.9"),
        ([("Host", "127.0.0.1:8080")], "::ffff:203.0.113.9"),
        ([("Host", "node.example")], "127.0.0.1"),
        ([("Host", "127.0.0.1:8080"), ("X-Forwarded-For", "127.0.0.1")], "127.0.0.1"),
        ([("Host", "127.0.0.1:8080"), ("Forwarded", "for=127.0.0.1")], "127.0.0.1"),
        ([("Host", "127.0.0.1:8080"), ("X-Real-IP", "127.0.0.1")], "127.0.0.1"),
        ([("Host", "127.0.0.1:8080"), ("Via", "1.1 proxy")], "127.0.0.1"),
    ],
)
def test_metrics_are_for_this_machine_and_not_for_callers_of_a_proxy(app, headers, peer):
    for served in (app, behind_proxy(app, ProxySettings(prefix="/v2.0.0"))):
        assert request(MeteredApp(served), "/metrics", *headers, peer=peer)[0] == 404


def test_connections_process_and_sources_are_shown(app):
    left = Metric("rehearsal_budget_left_nats", "gauge", "Left.", (("", {"tier": "public"}, 0.5),))
    metered = MeteredApp(app, [lambda: [left]])
    metered.connections = {1, 2, 3}
    samples = read(metered)
    assert samples["rehearsal_connections",] == 3
    assert samples["rehearsal_budget_left_nats", ("tier", "public")] == 0.5
    assert samples["process_cpu_seconds_total",] > 0


def test_the_process_is_told_by_the_names_of_prometheus():
    names = {one.name for one in process_metrics()}
    assert {"process_cpu_seconds_total", "process_max_fds"} <= names
    resident = {one.name: one.samples[0][2] for one in process_metrics()}
    if "process_resident_memory_bytes" in names:
        assert resident["process_resident_memory_bytes"] > 1_000_000
        assert resident["process_open_fds"] >= 3


def test_the_text_follows_the_specification():
    """With the values of its own example, and characters that must be escaped."""
    labels = {"path": "C:\\DIR\\FILE.TXT", "error": 'Cannot find file:\n"FILE.TXT"'}
    text = write_metrics(
        [
            Metric(
                "msdos_file_access_time_seconds", "gauge", "a\\b\nc", (("", labels, 1.458255915e9),)
            ),
            Metric("something_weird", "gauge", "x", (("", {"problem": "zero"}, math.inf),)),
            Metric.single("metric_without_labels", "counter", "y", 12.47),
        ]
    )
    samples, kinds = parse(text)
    assert samples == {
        ("msdos_file_access_time_seconds", *sorted(labels.items())): 1.458255915e9,
        ("something_weird", ("problem", "zero")): math.inf,
        ("metric_without_labels",): 12.47,
    }
    assert kinds["metric_without_labels"] == "counter"
    assert "# HELP msdos_file_access_time_seconds a\\\\b\\nc\n" in text
    assert write_metrics([Metric.single("a", "gauge", "b", math.nan)]).endswith("a NaN\n")

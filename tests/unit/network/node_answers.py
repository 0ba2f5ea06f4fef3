"""Hand-made answers of nodes to one query."""

from rehearsal.model import Answer


def answered(node: str, exists: bool, count: int | None = None, sets=None, **response) -> Answer:
    summary = {"exists": exists} | ({} if count is None else {"numTotalResults": count})
    granularity = "boolean" if count is None else "record" if sets else "count"
    body = {"meta": {"returnedGranularity": granularity}, "responseSummary": summary}
    body["response"] = {"resultSets": sets or []} | response
    return Answer("q", node, "answered", 200, body, 0.01, 100)


def late(node: str) -> Answer:
    return Answer("q", node, "late", None, None, 10.0, 0, "no whole answer within 10 s")


def refused(node: str, status: int, message: str = "no") -> Answer:
    return Answer("q", node, "refused", status, {"error": {}}, 0.01, 9, f"HTTP {status}: {message}")


def failed(node: str, status: int | None = 500) -> Answer:
    return Answer("q", node, "failed", status, None, 0.1, 0, "HTTP 500")

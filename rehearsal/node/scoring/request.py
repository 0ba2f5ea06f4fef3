"""What is asked of scores, read and checked. What is not understood is refused."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rehearsal.web.problem import Problem, shown

STEP = (
    0.05  # standard deviations: edges are multiples of it, so no bin can be made to fit one person
)
FURTHEST, MOST_BINS = 10.0, 400
STEEPEST = 10.0  # coefficient of a Cox regression: e to it is a hazard ratio of 22,026
TERM = re.compile(r"[A-Za-z][A-Za-z0-9]*:[^\s:%]+")


@dataclass(frozen=True, slots=True)
class HistogramRequest:
    """``edges``: of the bins, rising, in standard deviations. ``disease``: cases are told apart."""

    digest: str
    edges: NDArray[np.float64]
    by_sex: bool
    disease: str | None


@dataclass(frozen=True, slots=True)
class HazardRequest:
    digest: str
    disease: str
    coefficient: float


def read_histogram(body: bytes) -> HistogramRequest:
    """``{"scoringFile": digest, "bins": {"from": -4, "to": 4, "width": 0.1}, "bySex": false,
    "cases": "ICD10:I25.1"}``; the last two may be left out. Raises Problem (400)."""
    given = _object("the body", _json(body), {"scoringFile", "bins"}, {"bySex", "cases"})
    by_sex = given.get("bySex", False)
    if not isinstance(by_sex, bool):
        raise Problem(f"bySex: true or false, not {shown(by_sex)}")
    cases = given.get("cases")
    return HistogramRequest(
        _text("scoringFile", given["scoringFile"]),
        _edges(given["bins"]),
        by_sex,
        None if cases is None else _term("cases", cases),
    )


def read_hazard(body: bytes) -> HazardRequest:
    """``{"scoringFile": digest, "disease": "ICD10:I25.1", "coefficient": 0.5}``. Raises
    Problem (400)."""
    given = _object("the body", _json(body), {"scoringFile", "disease", "coefficient"}, set())
    coefficient = _number("coefficient", given["coefficient"])
    if abs(coefficient) > STEEPEST:
        raise Problem(f"coefficient: from -{STEEPEST:g} to {STEEPEST:g}")
    return HazardRequest(
        _text("scoringFile", given["scoringFile"]), _term("disease", given["disease"]), coefficient
    )


def _edges(value: Any) -> NDArray[np.float64]:
    given = _object("bins", value, {"from", "to", "width"}, set())
    steps = {}
    for name in ("from", "to", "width"):
        number = _number(f"bins.{name}", given[name])
        steps[name] = round(number / STEP)
        if abs(number) > 2 * FURTHEST or not math.isclose(steps[name] * STEP, number, abs_tol=1e-9):
            raise Problem(f"bins.{name}: a multiple of {STEP:g}, not {shown(given[name])}")
    first, last, width = (steps[name] for name in ("from", "to", "width"))
    furthest = round(FURTHEST / STEP)
    if not -furthest <= first < last <= furthest:
        raise Problem(f"bins: from below to, both from -{FURTHEST:g} to {FURTHEST:g}")
    if width < 1 or (last - first) % width:
        raise Problem("bins.width: above 0, so that whole bins lie between from and to")
    if (last - first) // width > MOST_BINS:
        raise Problem(f"bins: at most {MOST_BINS}")
    return np.round(np.arange(first, last + 1, width) * STEP, 2)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None


def _object(name: str, value: Any, needed: set[str], others: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or not needed <= set(value) <= needed | others:
        keys = ", ".join(sorted(needed))
        extra = f"; also {', '.join(sorted(others))}" if others else ""
        raise Problem(f"{name}: an object with {keys}{extra}, not {shown(value)}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Problem(f"{name}: text, not {shown(value)}")
    return value


def _term(name: str, value: Any) -> str:
    if not isinstance(value, str) or not TERM.fullmatch(value):
        raise Problem(f"{name}: a term like ICD10:I25.1, not {shown(value)}")
    return value


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Problem(f"{name}: a number, not {shown(value)}")
    return float(value)

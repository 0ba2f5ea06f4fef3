"""A request that does not fit its model is refused with where, expected and found."""

import re
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, field

import rehearsal.network.app
import rehearsal.node.server  # noqa: F401
from rehearsal.web.model_errors import ModelError
from rehearsal.web.openapi import query_parameters, request_body, schema_of
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import MAX_NESTING
from rehearsal.web.request_models import (
    RequestModel,
    Term,
    convert_values,
    decode_body,
    decode_parameters,
    whole,
)

CONTAINERS = {list, tuple, set, frozenset, dict}

Count = Annotated[int, Meta(ge=0, le=100, description="of things")]
Digits = Annotated[str, Meta(pattern=whole("[0-9]+"))]


class Bounds(RequestModel):
    """An interval.

    Both ends are included.
    """

    low: int
    high: int

    def __post_init__(self):
        if self.low > self.high:
            raise ModelError("low at most high", f"low {self.low} and high {self.high}")


class Thing(RequestModel):
    number_of: Count = 1
    size: Count | Digits | None = None
    kind: Literal["red", "blue"] | None = None
    term: Term | None = None
    names: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(max_length=2)] = ()
    share: float | None = None
    bounds: Bounds | None = None
    flag: bool | Literal["yes"] = False
    schema_: Any = field(name="$schema", default=None)


class Query(RequestModel):
    thing: Thing
    others: tuple[Thing | str, ...] = ()


class Lenient(RequestModel, forbid_unknown_fields=False):
    number: int


def refused(thing=None, **others):
    body = others.pop("body", None)
    if body is None:
        body = orjson.dumps({"thing": thing or {}, **others})
    with pytest.raises(Problem) as problem:
        decode_body(body, Query)
    assert problem.value.status == 400
    assert "\n" not in problem.value.message
    return problem.value.message


def test_a_request_that_is_as_its_model_says_is_read():
    query = decode_body(b'{"thing": {"numberOf": 3, "size": "12", "share": 1}}', Query)
    assert query == Query(thing=Thing(number_of=3, size="12", share=1.0))


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ({"numberOf": -1}, "thing.numberOf: expected a whole number of at least 0, found -1"),
        ({"numberOf": 101}, "thing.numberOf: expected a whole number of at most 100, found 101"),
        ({"numberOf": "x"}, "thing.numberOf: expected a whole number, found 'x'"),
        ({"numberOf": 1.5}, "thing.numberOf: expected a whole number, found 1.5"),
        ({"numberOf": True}, "thing.numberOf: expected a whole number, found true"),
        ({"numberOf": None}, "thing.numberOf: expected a whole number, found null"),
        ({"size": "x"}, "thing.size: expected text of the form ^(?:[0-9]+)$, found 'x'"),
        ({"size": "1\n"}, r"thing.size: expected text of the form ^(?:[0-9]+)$, found '1\n'"),
        ({"size": []}, "thing.size: expected a whole number or text, found []"),
        ({"kind": "green"}, "thing.kind: expected one of blue, red, found 'green'"),
        ({"kind": ["red"]}, "thing.kind: expected one of blue, red, found ['red']"),
        ({"flag": "no"}, "thing.flag: expected true or false or one of yes, found 'no'"),
        ({"flag": 1}, "thing.flag: expected true or false or text, found 1"),
        ({"term": "many:"}, "thing.term: expected a term like ICD10:I25.1, found 'many:'"),
        ({"term": 5}, "thing.term: expected text, found 5"),
        ({"names": "a"}, "thing.names: expected a list, found 'a'"),
        ({"names": ["a", 5]}, "thing.names[1]: expected text, found 5"),
        ({"names": [""]}, "thing.names[0]: expected text of at least 1 character, found ''"),
        (
            {"names": ["a"] * 3},
            "thing.names: expected a list of at most 2 items, found ['a', 'a', 'a']",
        ),
        ({"bounds": [1, 2]}, "thing.bounds: expected an object, found [1, 2]"),
        ({"bounds": {"low": 1}}, "thing.bounds.high: expected a whole number, found nothing"),
        (
            {"bounds": {"low": 2, "high": 1}},
            "thing.bounds: expected low at most high, found low 2 and high 1",
        ),
        ({"bounds": {"lo": 1}}, "thing.bounds: expected one of the keys low, high, found 'lo'"),
    ],
)
def test_a_refusal_names_place_expectation_and_finding(thing, message):
    assert refused(thing) == message


def test_places_in_lists_and_at_the_top_are_named():
    assert refused(others=["a", {"numberOf": -2}]).startswith(
        "others[1].numberOf: expected a whole number"
    )
    assert refused(others=["a", 5]) == "others[1]: expected text or an object, found 5"
    assert refused(body=b"[]") == "the body: expected an object, found []"
    assert refused(body=b"{}") == "thing: expected an object, found nothing"
    assert refused(body=b'{"thing": {}, "more": 1}').startswith(
        "the body: expected one of the keys"
    )


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"{} x", b'{"thing": NaN}'),
        b'{"thing": {"kind": "\xff"}}',
        b'{"thing": {"share": 1e400}}',
        b'{"thing": {"names": "\\ud800"}}',
        b'{"thing": 5, ',
    ],
)
def test_a_body_that_is_not_json_is_refused(body):
    assert "the body: expected JSON, found invalid JSON (" in refused(body=body)


@pytest.mark.parametrize("depth", [33, 300, 10_000, 100_000])
@pytest.mark.parametrize("opening", [b"[", b'{"":'])
def test_json_that_is_nested_too_deep_is_refused_before_it_is_read(opening, depth):
    said = refused(body=b'{"thing": {"$schema": ' + opening * depth)
    counted = r"(levels of lists and objects|of the brackets \[ and {)"
    assert re.match(rf"the body: expected at most \d+ {counted}, found", said)


@pytest.mark.parametrize(("number", "fits"), [(MAX_NESTING - 2, True), (MAX_NESTING - 1, False)])
@pytest.mark.parametrize("one", ["[]", '{"a":1}'])
def test_json_has_so_many_lists_and_objects(one, number, fits):
    body = b'{"x":[%s]}' % ",".join([one] * number).encode()
    if fits:
        assert decode_body(body, dict) == orjson.loads(body)
    else:
        with pytest.raises(Problem, match="expected at most 1000 of the brackets"):
            decode_body(body, dict)


def test_brackets_in_texts_are_not_nested():
    text = ("[" * 100) + '\\"{' * 100
    body = orjson.dumps({"thing": {"$schema": [text, {"a": text}] * 2}})
    assert decode_body(body, dict) == orjson.loads(body)


def test_other_keys_are_passed_over_where_a_standard_lets_others_add_them():
    assert decode_body(b'{"number": 5, "_mine": [1]}', Lenient) == Lenient(number=5)


@given(st.text(max_size=30))
def test_any_unknown_key_is_refused_in_one_line(key):
    if key not in ("thing", "others"):
        assert refused(body=orjson.dumps({key: 1})).count(":") >= 1


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("nunber", "5")], "the query string: expected one of the parameters $schema, bounds, "),
        ([("numberOf", "5"), ("numberOf", "6")], "numberOf: expected one value, found 2 values"),
        ([("numberOf", "five")], "numberOf: expected a whole number, found 'five'"),
        ([("numberOf", "500")], "numberOf: expected a whole number of at most 100, found '500'"),
        ([("names", "a,b,c")], "names: expected a list of at most 2 items, found ['a', 'b', 'c']"),
        ([("share", "half")], "share: expected a number, found 'half'"),
    ],
)
def test_parameters_of_a_url_are_refused_alike(pairs, message):
    with pytest.raises(Problem, match=f"^{re.escape(message)}"):
        decode_parameters(pairs, Thing)


def test_parameters_of_a_url_make_a_model():
    pairs = [("numberOf", "5"), ("names", "a"), ("names", "b"), ("share", "0.5"), ("flag", "true")]
    assert decode_parameters(pairs, Thing) == Thing(
        number_of=5, names=("a", "b"), share=0.5, flag=True
    )


def test_values_that_were_read_already_make_a_model():
    assert convert_values({"low": 1, "high": 2}, Bounds) == Bounds(low=1, high=2)
    with pytest.raises(Problem, match=r"^low: expected a whole number, found '1'"):
        convert_values({"low": "1", "high": 2}, Bounds)
    with pytest.raises(Problem, match=r"^the request: expected an object, found 5"):
        convert_values(5, Bounds)


def test_a_model_is_its_own_description():
    schema = schema_of(Query)
    thing = schema["properties"]["thing"]
    assert schema["required"] == ["thing"]
    assert schema["additionalProperties"] is False
    assert thing["properties"]["numberOf"] == {
        **{"type": "integer", "minimum": 0, "maximum": 100},
        **{"description": "of things", "default": 1},
    }
    bounds = thing["properties"]["bounds"]["anyOf"][0]
    assert bounds["description"] == "An interval.\n\nBoth ends are included."
    assert bounds["required"] == ["low", "high"]
    # both the published pattern and ours refuse a line break at the end
    assert thing["properties"]["size"]["anyOf"][1]["pattern"] == "^(?:[0-9]+)$"
    assert "$ref" not in str(schema)


def test_a_body_may_come_in_several_media_types():
    body = request_body(Lenient, "application/json", "application/x", required=False)
    assert body["required"] is False
    assert body["content"]["application/x"] == {"schema": schema_of(Lenient)}
    assert [*request_body(Lenient)["content"]] == ["application/json"]


def test_fields_of_a_model_are_parameters_of_a_url():
    parameters = {one["name"]: one for one in query_parameters(Thing)}
    assert parameters["kind"] == {
        **{"name": "kind", "in": "query"},
        "schema": {"enum": ["blue", "red"]},
    }
    assert parameters["names"]["style"] == "form"
    assert parameters["names"]["explode"] is False
    assert query_parameters(Bounds)[0]["required"] is True


def test_an_object_is_no_parameter_of_a_url():
    (others,) = (one for one in query_parameters(Query) if one["name"] == "others")
    assert others["schema"]["items"] == {"type": "string"}


def choices_of(hint):
    """Yield the types that a field may have, each with its annotations."""
    base, *said = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if get_origin(base) in (Union, UnionType):
        for one in get_args(base):
            yield from ((kind, [*said, *more]) for kind, more in choices_of(one))
    else:
        yield base, said


def crashes(hint):
    """Tell whether text with a pattern and a list or dictionary are alternatives anywhere."""
    choices = list(choices_of(hint))
    with_pattern = any(getattr(one, "pattern", None) for _, said in choices for one in said)
    containers = {get_origin(kind) or kind for kind, _ in choices} & CONTAINERS
    below = [one for kind, _ in choices for one in get_args(kind)]
    return (with_pattern and bool(containers)) or any(map(crashes, below))


def every_model(kind=RequestModel):
    for one in kind.__subclasses__():
        yield one
        yield from every_model(one)


def test_no_model_has_a_field_on_which_msgspec_crashes():
    """Its garbage collection mistakes a pattern for the type of the items of a list."""
    assert crashes(tuple[Digits | list[int] | None, ...])
    assert crashes(Annotated[str | dict[str, int], Meta(pattern="a")])
    models = [one for one in every_model() if one.__module__.startswith("rehearsal.")]
    assert len(models) > 5
    for model in models:
        for name, hint in get_type_hints(model, include_extras=True).items():
            assert not crashes(hint), f"{model.__module__}.{model.__qualname__}.{name}"

"""Addresses, read and written by the client as by the server."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import parse_qsl, urlencode

import pytest

from api.asked.address import read_query, write_query
from api.asked.condition import ClickAction, first_condition
from api.asked.query import ConditionQuery
from playground.inference import open_model
from tests.app.client.node import call_client

NAMED = {"name": "default", "model": "gpt2"}
EVERYTHING = {
    "view": "weights",
    "state": "0,1,1,1,0",
    "on": "zero:L0H1@>newB..;force:newB=!;flip:L0.mlp.W_in[12,40];noise:W_E~1#7;patch:L1H2@newB<1,0,1,0,1",
    "off": "1,3",
    "kind": "steer",
    "weights": "noise",
    "at": "@>newB..",
    "amount": "2.5",
    "noise": "0.25",
    "seed": "7",
    "from": "1,0,1,0,1",
    "minus": "0,0,0,0,1",
    "step": "12",
    "large": "L1H2",
    "token": ">newB",
    "sort": "-baseline.newB",
    "margins": "1",
    "weight": "L0.mlp.W_in",
    "versus": "1,1,1,1,1",
    "activation": "L1.mlp[3]",
    "units": "changed",
    "grouped": "newB",
    "text": "0,1,1,1,0\n1,0",
    "beside": "rnn",
    "open": "lens,attribution",
    "answer": "newB",
    "options": "spread=largest;among=held out",
    "cell": "L1H2@newB",
}
"""Every parameter, with a value other than its default."""
AWKWARD = "50% & more = ? # + ; é 💥 \"'<>[]{}|\\^`\t\n%2C"


@pytest.fixture(scope="module")
def parameters() -> list[str]:
    return call_client("store/address", "PARAMETERS", "() => PARAMETERS", None)


def read(queries: list[str]) -> list[dict[str, str]]:
    """Return what the client reads in addresses; what they do not say is left out."""
    found = call_client("store/address", "readAddress", "queries => queries.map(readAddress)", queries)
    return [{name: value for name, value in each.items() if value is not None} for each in found]


def written(conditions: list[dict[str, str]]) -> list[str]:
    """Return the queries that the client writes."""
    expression = "conditions => conditions.map(condition => writeAddress(condition))"
    return call_client("store/address", "writeAddress", expression, conditions)


def test_everything_in_an_address_is_a_parameter_on_both_sides(workplace, monkeypatch, parameters):
    monkeypatch.chdir(workplace)
    model = open_model(workplace / "models" / "default" / "gpt2", "cpu")
    condition, faults = read_query(EVERYTHING | NAMED, model, [model])
    assert faults == ()
    first, no_action = first_condition(model), ClickAction()
    for one, default in ((condition, first), (condition.click_action, no_action)):
        same = [each.name for each in fields(one) if getattr(one, each.name) == getattr(default, each.name)]
        assert same == []
    assert write_query(condition) == EVERYTHING
    assert parameters == [*NAMED, *write_query(condition)]
    assert {each.alias or name for name, each in ConditionQuery.model_fields.items()} == set(parameters)


def test_the_client_reads_what_the_server_writes():
    everything = NAMED | EVERYTHING
    assert read([urlencode(everything), "?" + urlencode(everything)]) == [everything] * 2


def test_what_the_client_writes_means_the_same_to_the_client_and_to_the_server(parameters):
    conditions = [
        {},
        NAMED,
        NAMED | EVERYTHING,
        NAMED | EVERYTHING | {"text": ""},
        *({name: AWKWARD} for name in parameters),
        *({name: value} for name, value in EVERYTHING.items()),
    ]
    queries = written(conditions)
    assert read(queries) == conditions
    assert [dict(parse_qsl(query, keep_blank_values=True)) for query in queries] == conditions


def test_people_can_read_an_address():
    [query] = written([NAMED | {key: EVERYTHING[key] for key in ("state", "on", "sort")}])
    assert query == "&".join(
        f"{name}={value}"
        for name, value in (
            *NAMED.items(),
            ("state", EVERYTHING["state"]),
            ("on", EVERYTHING["on"].translate({ord("<"): "%3C", ord(">"): "%3E", ord("#"): "%23"})),
            ("sort", EVERYTHING["sort"]),
        )
    )


def test_edits_given_one_by_one_are_joined_and_of_other_parameters_the_last_counts():
    assert read(["on=zero:L0&state=0,1&on=force:a=1&state=1,1&nonsense=1"]) == [
        {"on": "zero:L0;force:a=1", "state": "1,1"}
    ]

"""Addresses, written and read by the client as by the server."""

from __future__ import annotations

from dataclasses import fields
from urllib.parse import parse_qs, urlencode

import pytest

from api.address import read_query, write_query
from api.asked import ConditionQuery
from api.condition import ClickAction, Condition, first_condition
from playground.inference import open_model
from playground.interventions import (
    Noise,
    Steer,
    parse_all,
    parse_positions,
    parse_site,
)
from tests.app.client.node import call_client

THERE = "queries => queries.map(query => readAddress(query))"
BACK = "conditions => conditions.map(condition => writeAddress(condition))"
ALL = {
    "view": "weights",
    "state": "0,1,1,1,0",
    "on": "zero:L0H1@>newB..;force:newB=!;flip:L0.mlp.W_in[12,40];noise:W_E~1#7;patch:L1H2@newB<1,0,1,0,1",
    "off": "1,3",
    "kind": "steer",
    "weights": "noise",
    "at": "@>newB..",
    "amount": "2.5",
    "noise": "0.5",
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
    "text": "0,1,1,1,0\\n1 & 50% = ? # + é 💥",
    "beside": "rnn",
    "open": "attribution,lens",
    "answer": "newB",
    "options": "spread=largest",
    "cell": "L1H2@newB",
}

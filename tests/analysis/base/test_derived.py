"""What follows from a result is computed once, for each result and for all that is given beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from playground.analysis.base.derived import derive

calls: list[tuple] = []


@dataclass(frozen=True)
class Result:
    values: np.ndarray


def total(result: Result, times: int = 1) -> int:
    calls.append((id(result), times))
    return times * int(result.values.sum())


def test_it_is_computed_once_for_each_result_and_what_is_given():
    calls.clear()
    one = Result(np.arange(4))
    assert [derive(total, one), derive(total, one)] == [6, 6]
    assert [derive(total, one, 2), derive(total, one, 2)] == [12, 12]
    assert calls == [(id(one), 1), (id(one), 2)]
    other = replace(one, values=np.arange(3))
    assert derive(total, other) == 3, "what was derived does not go over to another result"
    assert len(calls) == 3
    assert [field.name for field in fields(one)] == ["values"], "nor is it a part of the result"

"""Checks a request to learn a subspace."""

from __future__ import annotations

from math import prod

from playground.analysis.interchange.interchange import check_sites
from playground.errors import Fault, RequestError, nearest
from playground.inference import Model
from playground.interventions import Anchor
from playground.interventions.positions import WRITING
from playground.models import Network, Site
from playground.worlds import CausalVariable

DIMENSIONS = 2
"""The two values of a bit differ along one direction. A second direction makes it far less common for learning to end
at one that fits only the training pairs."""
STEPS = 150


def check_request(
    model: Model,
    variable: CausalVariable,
    answer: str,
    site: Site,
    token: str,
    *,
    dimensions: int,
    steps: int,
) -> tuple[int, int]:
    """Return the positions of the token and of the one at which the answer is written.

    Raises:
        RequestError: listing everything that is wrong; for the arguments see `measure_subspace`.
    """
    faults: list[Fault] = []
    follows = variable.answers(model.world)
    if answer not in follows:
        faults.append(
            Fault(
                message="this answer does not depend on the variable",
                expected=nearest(answer, follows),
                got=answer,
                hint=f"Nothing else changes with {variable.name}.",
            )
        )
    faults += _number_faults("steps", steps, None, STEPS)
    size = None
    try:
        size = _size_of_part(model.network, site)
    except RequestError as error:
        faults += error.faults
    faults += _number_faults("dimensions", dimensions, size, DIMENSIONS)
    at = model.template.positions.get(answer, model.template.length) - 1
    position = at
    try:
        position = Anchor(token.removeprefix(WRITING), token.startswith(WRITING)).index(model.template)
    except RequestError as error:
        faults += error.faults
    if position > at:
        faults.append(
            Fault(
                message="this token comes after the answer",
                expected=f"a token up to {WRITING}{answer}",
                got=token,
                hint="Later tokens cannot change it.",
            )
        )
    if faults:
        raise RequestError(*faults)
    return position, at


def _size_of_part(network: Network, site: Site) -> int:
    """Return how many numbers a part has at a token.

    Raises:
        RequestError: for a part that the network does not have, or that has several vectors.
    """
    check_sites(network, [site])
    size = vector_size(network, site)
    if size is None:
        raise RequestError.of(
            where=str(site),
            message="this part has no single vector",
            expected="a part with one vector at a token, such as a residual stream, a hidden state or a slot",
            got=f"{site}, which has several",
            hint="Name one of them, as in L0.h or memory[3].",
        )
    return size


def no_pair(variable: CausalVariable, answer: str) -> RequestError:
    """Return the error for a variable and answer with too few pairs to learn from or to judge by."""
    return RequestError.of(
        message="too few pairs of states to learn from",
        expected=f"pairs of states between which {variable.name} changes {answer}, to learn from and to judge by",
        got="none, or too few to have some on either side",
        hint="Choose another answer that depends on it, or a model that writes numbers for what it reads.",
    )


def _number_faults(name: str, number: int, most: int | None, usual: int) -> list[Fault]:
    if number >= 1 and (most is None or number <= most):
        return []
    return [
        Fault(
            message=f"invalid {name} of a subspace",
            expected="at least 1" if most is None else f"from 1 to {most}",
            got=str(number),
            hint=f"Usual values: {usual}.",
        )
    ]


def vector_size(network: Network, site: Site) -> int | None:
    """Return the size of a part's vector at a token; None if it is not a single vector."""
    slices = (*site.slices, *(slice(None) for _ in network.sites[site.whole]))
    lengths = [
        len(range(length)[each]) for length, each in zip(network.sites[site.whole], slices, strict=False)
    ]
    if len(network.hook_locations(site)) == 1 and sum(length > 1 for length in lengths) <= 1:
        return prod(lengths)
    return None

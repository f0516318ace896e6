"""Kind x model: the largest difference between the shipped models' scores and their references.

Covers every activation and every weight of each model, at each form of positions, for one state of each baseline and
all states of GPT-2. GPT-2's reference is transformers with a key-value cache and really edited weights; the references
of the others are their equations written out. Both are in double precision. The library is compared as it is, in
single precision, and in double precision, where differences are no longer due to rounding. Run by `make bench`;
models may be named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from transformers import AutoModelForCausalLM

from playground.inference import Model, load_model
from playground.interventions import parse_all
from playground.models import ARCHITECTURES
from tests.inference.references import baselines as references_baselines
from tests.inference.references import gpt2 as references_gpt2
from tests.inference.references.conditions import (
    ACTIVATION_KINDS,
    POSITIONS,
    WEIGHT_KINDS,
    activation_text,
    acts,
    unit_sites,
    weight_texts,
)
from tests.inference.references.double import in_double

FORCED = ("0", "1", "!")


def conditions(model: Model, kind: str) -> Iterator[str]:
    """Yield interventions of a kind on everything that it can act on, at every form of positions."""
    network = model.network
    if kind == "force":
        yield from (f"force:{name}={value}" for name in model.world.outputs for value in FORCED)
    elif kind in ACTIVATION_KINDS:
        # Alternate between a whole activation and one of its units.
        for turn, (whole, shape) in enumerate(network.sites.items()):
            sites = unit_sites(whole, shape)
            for number, positions in enumerate(POSITIONS):
                yield activation_text(
                    kind, sites[(turn + number // 2) % len(sites)], positions, model.template
                )
    else:
        # Alternate between a whole weight, a range, one number and a random share.
        for turn, site in enumerate(network.weights):
            for number, positions in enumerate(POSITIONS):
                texts = weight_texts(kind, site, positions, network)
                text = texts[(turn + number) % len(texts)]
                if acts(text, network):
                    yield text


class Comparison:
    """A shipped model and its reference.

    Args:
        name: of the architecture.
    """

    def __init__(self, name: str) -> None:
        self.model = load_model("shipped", name, "cpu")
        self.exact = in_double(self.model)
        if name == "gpt2":
            reference = AutoModelForCausalLM.from_pretrained(
                self.model.checkpoint.folder, attn_implementation="eager"
            )
            self.gpt2 = references_gpt2.Decoder(reference, self.model.template)
        else:
            self.baseline = references_baselines.Decoder(self.model)
        self.compared = 0

    def differences(self, text: str) -> tuple[float, float]:
        """Return the largest difference of scores, in single and double precision; infinity if the tokens differ."""
        self.compared += 1
        interventions = parse_all(text)
        rows = slice(None)
        if self.model.network.architecture == "gpt2":
            tokens, logits = (each.numpy() for each in self.gpt2.write(interventions))
        else:
            row = self.compared % len(self.model.world.states)
            written, scores = self.baseline.write(interventions, row)
            rows, tokens, logits = slice(row, row + 1), np.array([written]), scores[None]

        def difference(model: Model) -> float:
            run = model.run_all(interventions, shown=False)
            same = np.array_equal(run.tokens[rows].numpy(), tokens)
            return float(np.abs(run.logits[rows].numpy() - logits).max()) if same else float("inf")

        return difference(self.model), difference(self.exact)


def main() -> None:
    """Measure and print."""
    kinds, names = (*ACTIVATION_KINDS, *WEIGHT_KINDS, "force"), sys.argv[1:] or list(ARCHITECTURES)
    largest: dict[tuple[str, str], np.ndarray] = {}
    for name in names:
        comparison = Comparison(name)
        for kind in kinds:
            texts = list(conditions(comparison.model, kind))
            found = np.array([comparison.differences(text) for text in texts])
            largest[kind, name] = found.max(0)
            print(
                f"{name} {kind}: {len(texts)} conditions; in single precision 99 of 100 below "
                f"{np.quantile(found[:, 0], 0.99):.1e}, the largest {found[:, 0].max():.1e} "
                f"({texts[found[:, 0].argmax()]})",
                flush=True,
            )
    print("Largest difference of scores, in single / double precision:")
    print(f"| kind | {' | '.join(names)} |")
    print(f"| --- {'| --- ' * len(names)}|")
    for kind in kinds:
        cells = [" / ".join(f"{value:.0e}" for value in largest[kind, name]) for name in names]
        print(f"| `{kind}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

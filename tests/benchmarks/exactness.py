"""Kind x model: by how much the shipped models' scores differ from the references', at most.

Every activation and every weight of each model, at each form of positions, for one state of each baseline
and all states of GPT-2. GPT-2's reference is transformers with a key-value cache and really edited weights,
in double precision; the others' are their equations written out. Run by `make bench`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from transformers import AutoModelForCausalLM

from playground.inference import Model, load_model
from playground.interventions import parse_all
from playground.models import ARCHITECTURES
from tests.inference import references_baselines, references_gpt2
from tests.inference.conditions import (
    ACTIVATION_KINDS,
    POSITIONS,
    WEIGHT_KINDS,
    activation_text,
    acts,
    unit_sites,
    weight_texts,
)

FORCED = ("0", "1", "!")


def conditions(model: Model, kind: str) -> Iterator[str]:
    """Yield a kind on everything that it can act on, at every form of positions."""
    network = model.network
    if kind == "force":
        yield from (f"force:{name}={value}" for name in model.world.outputs for value in FORCED)
    elif kind in ACTIVATION_KINDS:
        # All of an activation and one of its units take turns.
        for turn, (whole, shape) in enumerate(network.sites.items()):
            sites = unit_sites(whole, shape)
            for number, positions in enumerate(POSITIONS):
                yield activation_text(
                    kind, sites[(turn + number // 2) % len(sites)], positions, model.template
                )
    else:
        # All of a weight, a range, one number and a random share take turns.
        for turn, site in enumerate(network.weights):
            for number, positions in enumerate(each for each in POSITIONS if acts(site, each, network)):
                texts = weight_texts(kind, site, positions, network)
                yield texts[(turn + number) % len(texts)]


class Comparison:
    """A shipped model beside its reference.

    Args:
        name: of the architecture.
    """

    def __init__(self, name: str) -> None:
        self.model = load_model("shipped", name, "cpu")
        if name == "gpt2":
            reference = AutoModelForCausalLM.from_pretrained(
                self.model.checkpoint.folder, attn_implementation="eager"
            )
            self.gpt2 = references_gpt2.Decoder(reference, self.model.template)
        else:
            self.baseline = references_baselines.Decoder(self.model)
        self.compared = 0

    def difference(self, text: str) -> float:
        """Return by how much scores differ at most; infinity if other tokens are written."""
        self.compared += 1
        interventions = parse_all(text)
        run = self.model.run_all(interventions, shown=False)
        if self.model.network.architecture == "gpt2":
            tokens, logits = self.gpt2.write(interventions)
            same = bool((run.tokens == tokens).all())
            moved = float((run.logits - logits).abs().max())
        else:
            row = self.compared % len(run.tokens)
            text_written, scores = self.baseline.write(interventions, row)
            same = run.tokens[row].tolist() == text_written
            moved = float(np.abs(run.logits[row].numpy() - scores).max())
        return moved if same else float("inf")


def main() -> None:
    """Measure and print."""
    kinds = (*ACTIVATION_KINDS, *WEIGHT_KINDS, "force")
    largest: dict[tuple[str, str], tuple[float, str]] = {}
    for name in ARCHITECTURES:
        comparison = Comparison(name)
        for kind in kinds:
            found = [(comparison.difference(text), text) for text in conditions(comparison.model, kind)]
            largest[kind, name] = max(found)
            print(
                f"{name} {kind}: {len(found)} conditions, at most {max(found)}", file=sys.stderr, flush=True
            )
        print(f"{name}: {comparison.compared} conditions compared")
    print(f"| kind | {' | '.join(ARCHITECTURES)} |")
    print(f"| --- {'| --- ' * len(ARCHITECTURES)}|")
    for kind in kinds:
        print(f"| `{kind}` | {' | '.join(f'{largest[kind, name][0]:.1e}' for name in ARCHITECTURES)} |")


if __name__ == "__main__":
    main()

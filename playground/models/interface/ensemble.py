"""Models in training: any number of one architecture and size, side by side in one batch.

Their parameters lie in one tensor, a row for each model, and the gradients in another. So an optimizer, a
norm or a copy is one operation for everything that is learnt.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import cross_entropy
from typing_extensions import override


class Ensemble(ABC):
    """Models of one architecture and size that learn side by side, each from its own samples.

    Args:
        parameters: all that is learnt.
        gradients: of each model's loss by its parameters, as `learn` found them last.
    """

    def __init__(
        self, parameters: Float[Tensor, "model parameter"], gradients: Float[Tensor, "model parameter"]
    ) -> None:
        self.parameters = parameters
        self.gradients = gradients

    def __len__(self) -> int:
        return len(self.parameters)

    @abstractmethod
    def learn(self, tokens: Int[Tensor, "model sample token"]) -> Float[Tensor, " model"]:
        """Return each model's mean cross-entropy, in nats, of every token but the first given those before it.

        It leaves the gradients in `gradients`.
        """

    @abstractmethod
    def logits(self, tokens: Int[Tensor, "model row token"]) -> Float[Tensor, "model row token vocabulary"]:
        """Return for every token the scores of the one that follows, as the trained model gives them."""

    @abstractmethod
    def model(self, index: int) -> Module:
        """Return one of the models as it is saved, with the parameters that it has now."""


class Solo(Ensemble):
    """One model of any architecture, whose gradients PyTorch finds.

    Args:
        model: gives for every token the scores of the one that follows. It learns in place: its parameters
            become views of one tensor.
    """

    def __init__(self, model: Module) -> None:
        shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
        device = next(model.parameters()).device
        parameters = torch.empty(1, sum(shape.numel() for shape in shapes.values()), device=device)
        super().__init__(parameters, torch.zeros_like(parameters))
        values, slopes = views(self.parameters, shapes), views(self.gradients, shapes)
        for name, parameter in model.named_parameters():
            values[name][0] = parameter.detach()
            parameter.data = values[name][0]
            parameter.grad = slopes[name][0]
        self._model = model

    @override
    def learn(self, tokens: Int[Tensor, "1 sample token"]) -> Float[Tensor, " 1"]:
        self._model.train()
        self.gradients.zero_()
        scores = self._model(tokens[0, :, :-1])  # Nothing follows the last token.
        loss = cross_entropy(scores.flatten(0, 1), tokens[0, :, 1:].flatten())
        loss.backward()
        return loss.detach()[None]

    @override
    def logits(self, tokens: Int[Tensor, "1 row token"]) -> Float[Tensor, "1 row token vocabulary"]:
        self._model.eval()
        with torch.no_grad():
            return self._model(tokens[0])[None]

    @override
    def model(self, index: int) -> Module:
        assert index == 0, "there is one"
        return self._model


def views(
    flat: Float[Tensor, "model parameter"], shapes: Mapping[str, torch.Size]
) -> dict[str, Float[Tensor, "model ..."]]:
    """Return the tensors that lie one after another in every row of `flat`, by name."""
    pieces = flat.split([shape.numel() for shape in shapes.values()], dim=1)
    return {
        name: piece.view(len(flat), *shape)
        for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
    }

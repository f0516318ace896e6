"""Models in training: any number of one architecture and size, side by side in one batch.

Their parameters lie in one tensor, a row for each model, and the gradients in another. So an optimizer step,
a norm or a copy is one operation for all models.
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
        parameters: everything that is learnt.
        gradients: of each model's loss with respect to its parameters, from the last call of `learn`.
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
        """Return each model's mean next-token cross-entropy, in nats.

        The gradients are left in `gradients`.
        """

    @abstractmethod
    def logits(self, tokens: Int[Tensor, "model row token"]) -> Float[Tensor, "model row token vocabulary"]:
        """Return the scores of the next token at every token, as the trained model gives them."""

    @abstractmethod
    def model(self, index: int) -> Module:
        """Return one of the models with its current parameters, in the form in which it is saved."""


class Solo(Ensemble):
    """One model of any architecture; PyTorch computes its gradients.

    Args:
        model: returns the scores of the next token at every token. It is trained in place: its parameters
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
    """Return, by name, the tensors that are stored one after another in every row of `flat`."""
    pieces = flat.split([shape.numel() for shape in shapes.values()], dim=1)
    return {
        name: piece.view(len(flat), *shape)
        for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
    }

"""The architectures that there are."""

from __future__ import annotations

from playground.models.architecture import Architecture
from playground.models.cnn import Cnn
from playground.models.gpt2 import Gpt2
from playground.models.mann import Mann
from playground.models.rnn import Rnn

ARCHITECTURES: dict[str, Architecture] = {each.name: each for each in (Gpt2(), Rnn(), Cnn(), Mann())}

"""The architectures that there are."""

from __future__ import annotations

from playground.models.cnn import Cnn
from playground.models.gpt2.model import Gpt2
from playground.models.interface.architecture import Architecture
from playground.models.recurrent.mann import Mann
from playground.models.recurrent.rnn import Rnn

ARCHITECTURES: dict[str, Architecture] = {each.name: each for each in (Gpt2(), Rnn(), Cnn(), Mann())}

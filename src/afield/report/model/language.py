"""What a network that writes text is worth."""

from __future__ import annotations

from afield.report.model.base import Count, Figures, Fixed, Interval, Share


class TextScores(Fixed):
    """How well the next character is foretold.

    Args:
        characters: that were foretold.
        nats: mean of the negative natural logarithm of the right character's probability.
        bits: the same to the base of 2.
        perplexity: between how many equally probable characters the network would hesitate as much.
        bits_interval: 95 % bootstrap interval of the bits, over passages.
        accuracy: share of characters of which the most probable was the right one; None where not measured.
    """

    characters: Count
    nats: float
    bits: float
    perplexity: float
    bits_interval: Interval
    accuracy: Share | None = None


class Sample(Fixed):
    """Text that the network wrote.

    Args:
        start: what it was given.
        text: what it wrote after it.
        temperature: below 1, surer and duller; above, bolder.
    """

    start: str
    text: str
    temperature: float


class Language(Figures):
    """What the network knows of the text.

    Args:
        alphabet: different characters it knows.
        validation, test: on the parts of the text it was not trained on.
        samples: what it wrote.
    """

    alphabet: Count
    validation: TextScores | None
    test: TextScores
    samples: list[Sample]

    def figures(self) -> dict[str, float]:
        """Bits and nats a character, perplexity, and where measured accuracy."""
        found = {
            "bits a character": self.test.bits,
            "nats a character": self.test.nats,
            "perplexity": self.test.perplexity,
        }
        return found if self.test.accuracy is None else found | {"accuracy": self.test.accuracy}

    def intervals(self) -> dict[str, Interval]:
        """That of the bits a character."""
        return {"bits a character": self.test.bits_interval}

from enum import Enum


class Word(Enum):
    """An enum of the contract, whose members are their words as text."""

    def __str__(self) -> str:
        return str(self.value)

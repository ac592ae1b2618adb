import re

# Every control character of Unicode.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def one_line(text: str) -> str:
    """Text without control characters.

    What scanners and people wrote may hold line breaks, and a message is one line.
    """
    return _CONTROL.sub(" ", str(text))


def authored(text: str, what: str) -> str:
    """What an author wrote, which has to be text: ``None`` would be the word of that name."""
    if not isinstance(text, str):
        raise TypeError(f"{what} is a value of type `{type(text).__name__}`; give text")
    return text

"""Text from the API as a terminal may show it."""


def printable(text: str) -> str:
    """Replace control characters: whoever can write an annotation must not write to a person's terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)

"""Header texts as people write them → the quantity they mean."""

import re
import unicodedata

_DIFFERENTIALS = str.maketrans(dict.fromkeys("∂𝜕𝝏𝛛𝞉𝟃δΔ𝛿𝑑𝐝ẟ", "d") | dict.fromkeys("σ𝜎", "s") | {"ƞ": "η"})
_PATTERNS = tuple(
    (re.compile(pattern), quantity)
    for pattern, quantity in (
        (r"(?:t|target)([12])", r"t\1"),
        (r"(?:i|x|in|input)([12])", r"i\1"),
        (r"(?:w|weight)([1-8])", r"w\1"),
        (r"(?:h|neth|hnet|inh|zh)([12])", r"h\1"),
        (r"(?:ah|outh|hout|aouth|sh|acth|a_h)([12])", r"a_h\1"),
        (r"(?:o|neto|onet|ino|zo)([12])", r"o\1"),
        (r"(?:ao|outo|oout|aouto|so|acto|a0|y|out)([12])", r"a_o\1"),
        (r"(?:e|error|err|loss)([12])", r"E\1"),
        (r"(?:e|error|err|loss)(?:t|tot|total)|(?:total|tot)(?:e|error|err|loss)|etota?l?", "E_total"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?dw([1-8])", r"dE_dw\1"),
        (r"(?:grad|gradient)w?([1-8])", r"dE_dw\1"),
        (r"(?:b|bias)([1-4])", r"b\1"),
        (r"(?:b|bias)([ho][12])", r"b_\1"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?d(?:b|bias)([1-4])", r"dE_db\1"),
        (r"d?e?(?:t|tot|total)?d?e?(?:t|tot|total)?/?d(?:b|bias)([ho][12])", r"dE_db_\1"),
    )
)


def quantity_of(text: object) -> str | None:
    """Return the name of the quantity that a header means, or None.

    Letters for ∂ vary (∂ 𝜕 δ d), as do capitals, blanks, underscores, hyphens and brackets around arguments.
    """
    if not isinstance(text, str) or len(text) > 40:
        return None
    plain = unicodedata.normalize("NFKC", text.translate(_DIFFERENTIALS)).translate(_DIFFERENTIALS).casefold()
    plain = re.sub(r"\(.*?\)$", lambda m: m.group() if "w" in m.group() or "h" in m.group() else "", plain)
    squeezed = re.sub(r"[\s_\-.*(){}\[\]]", "", plain)
    for pattern, quantity in _PATTERNS:
        match = pattern.fullmatch(squeezed)
        if match:
            return match.expand(quantity)
    return None

"""The filters of all templates, whatever language those are written in."""

import base64
import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from PIL import Image

from mnist.records import Prediction
from reports import formats


def ink_image(prediction: Prediction) -> str:
    """Return an image's ink as a PNG in a data URI: black of that opacity, so that the page shows through."""
    rows, content = prediction.rows(), io.BytesIO()
    size = len(rows[0]), len(rows)
    ink = Image.frombytes("L", size, b"".join(rows))
    Image.merge("LA", (Image.new("L", size), ink)).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "significant": formats.significant,
        "fixed": formats.fixed,
        "brief": formats.brief,
        "signed": formats.signed,
        "percent": formats.percent,
        "share": formats.share,
        "rough_share": formats.rough_share,
        "short": formats.short,
        "counted": formats.counted,
        "times": formats.times,
        "listing": formats.listing,
        "duration": formats.duration,
        "rate": formats.learning_rate,
        "thousands": "{:,.0f}".format,
        "sentence_start": formats.sentence_start,
    }
)

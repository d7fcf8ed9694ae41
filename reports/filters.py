"""The filters of all templates, whatever language those are written in."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reports import formats

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

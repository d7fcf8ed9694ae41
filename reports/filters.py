"""The filters of all templates, whatever language those are written in."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from reports import formats
from reports.views.schedule import learning_rate_text

NUMBER_FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
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
        "listing": formats.listing,
        "thousands": "{:,.0f}".format,
        "rate": learning_rate_text,
        "sentence_start": formats.sentence_start,
    }
)

"""What schemathesis sends where a schema cannot say it: archives, components, and texts with a grammar."""

import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

# Files that `tests/it/api/published.rs` made: whole ones, and damaged ones.
BODIES = Path(os.environ["LOADOUT_CONTRACT_BODIES"])


def bodies(ending):
    return st.sampled_from([file.read_bytes() for file in sorted(BODIES.glob(f"*.{ending}"))])


schemathesis.openapi.media_type("application/zip", bodies("zip"))
schemathesis.openapi.media_type("application/wasm", bodies("wasm"))

# Attributes that every collection has.
ATTRIBUTES = st.sampled_from(["uniqueName", "meta.revision", "meta.layer"])
VALUES = st.sampled_from(["'a'", "'contoso_rep'", "''", "1", "0", "true", "null"])
COMPARISONS = st.builds("{} {} {}".format, ATTRIBUTES, st.sampled_from(["eq", "ne", "gt", "lt"]), VALUES)
FILTERS = st.one_of(COMPARISONS, st.builds("{} and not ({})".format, COMPARISONS, COMPARISONS))
ORDERS = st.builds("{}{}".format, st.just("uniqueName"), st.sampled_from(["", " asc", " desc"]))

schemathesis.openapi.format("loadout-filter", FILTERS)
schemathesis.openapi.format("loadout-order", ORDERS)

# A reason is text in UTF-8, and what sends headers here knows Latin-1 alone.
REASONS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=1000).map(str.strip)

schemathesis.openapi.format("loadout-reason", REASONS)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A place to continue after is one of the list that gave it, and an order makes another list: no schema says so."""
    meta = case.meta
    if meta and meta.generation.mode.is_positive and case.query and "order" in case.query:
        case.query.pop("after", None)

"""The JSON of responses."""

import orjson

# As the scalars DateTime and Date write them (core/scalars.py), so that plans can leave them to orjson.
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def encode_json(value: object) -> bytes:
    """Return a value as JSON. Times have to be in UTC."""
    return orjson.dumps(value, option=_OPTIONS)

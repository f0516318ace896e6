"""Rules in an address: as plain text or, if they are long, compressed. The client writes them, see rules_address.js."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

from playground.errors import Fault, RequestError
from playground.worlds.files import LONGEST, check_length

PLAIN, COMPRESSED = "rules", "rulesz"
_MOST_BYTES = 4


def read(query: Mapping[str, str]) -> str | None:
    """Return the text of rules in the parameters of an address, if there is one.

    Raises:
        RequestError: if it cannot be read.
    """
    if COMPRESSED in query:
        text = _unpack(query[COMPRESSED])
    elif PLAIN in query:
        text = query[PLAIN]
    else:
        return None
    check_length(text, "rules in the address")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unpack(packed: str) -> str:
    reader, most = zlib.decompressobj(), _MOST_BYTES * LONGEST
    try:
        content = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        # A small text may unpack to gigabytes.
        text = reader.decompress(content, most + 1).decode(errors="replace")
        if reader.eof or len(text) > LONGEST:
            return text
    except (binascii.Error, zlib.error, ValueError) as error:
        raise RequestError(_unreadable(packed)) from error
    raise RequestError(_unreadable(packed))


def _unreadable(packed: str) -> Fault:
    return Fault(
        where=f"{COMPRESSED} in the address",
        message="the rules in this address cannot be unpacked",
        expected="a complete link from page World",
        got=f"{len(packed):,} characters that cannot be read",
        hint="Part of the link may be missing: copy all of it, or ask for the file.",
    )

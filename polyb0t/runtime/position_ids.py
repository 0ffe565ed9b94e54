"""Names of positions that a person can type: `p` and the beginning of a hash of the asset."""

import base64
import hashlib
from collections.abc import Iterable

from polyb0t.core.errors import AmbiguousError, NotFoundError
from polyb0t.core.ids import AssetId


def position_id(asset_id: AssetId) -> str:
    """The whole name; as long as an asset is held it never changes."""
    digest = hashlib.sha256(asset_id.encode()).digest()
    return "p" + base64.b32encode(digest).decode().lower()[:15]


def find_asset(prefix: str, assets: Iterable[AssetId]) -> AssetId:
    """The one held asset whose name, or whose own id, begins so.

    Raises:
        NotFoundError, AmbiguousError.
    """
    wanted = prefix.strip()
    known = list(assets)
    found = [asset for asset in known if wanted and position_id(asset).startswith(wanted.lower())]
    found = found or [asset for asset in known if wanted == asset]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(position_id(asset)[:8] for asset in found[:5])
        raise AmbiguousError(f"{prefix} is not clear.", why=f"It begins {names}.", do="Type more characters.")
    raise NotFoundError(
        f"There is no position {prefix:.40}.",
        why="Nothing that polyb0t bought and still holds is named so.",
        do="See them with `polyb0t positions`.",
        code="position_not_found",
    )

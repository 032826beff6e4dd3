"""A note in the home folder that API keys were made: it outlives the database that holds the keys.

Without it a lost database would look like a new one, and a server without keys serves everybody. The file is written once, when
the first key is seen, and removed only by `quoth keys give-up`.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from index.storage.atomic import replace_file
from service.errors import StoreUnavailable

FILENAME = "keys.json"
_FORMAT = 1


class KeyRecord:
    """Whether API keys were ever made with this home folder. Thread-safe; processes may share it."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILENAME

    def exists(self) -> bool:
        """Whether keys were made. Whatever stands in the file, even nothing: no such file is written without a key.

        Raises StoreUnavailable if the folder cannot be looked into: what cannot be read is not absent.
        """
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreUnavailable(
                f"{self.path} cannot be read ({error.strerror}), so whether API keys were made is unknown. "
                "Give the user that runs Quoth access to the folder."
            ) from error
        return True

    def write(self, database: str) -> None:
        """Note, durably, that `database` (its URL without a password) holds keys. OSError or DiskFull if it cannot be kept."""
        if self._fields().get("database") == database:
            return
        fields = {"format": _FORMAT, "database": database, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(self.path) as partial:
            partial.write_text(f"{json.dumps(fields, indent=2)}\n", encoding="utf-8")

    def describe(self) -> str:
        """Where keys were made, and since when that is known, for messages."""
        fields = self._fields()
        known = f"in {fields['database']}, " if "database" in fields else ""
        since = f" since {fields['since']}" if "since" in fields else ""
        return f"{known}as {self.path} notes{since}"

    def remove(self) -> None:
        """Forget that keys were made."""
        self.path.unlink(missing_ok=True)

    def _fields(self) -> dict[str, str]:
        """What the file says; nothing if it is missing or damaged, which takes nothing from its being there."""
        try:
            fields = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return fields if isinstance(fields, dict) else {}

"""Files that are there whole or not at all, readable by their owner alone."""

import os
import tempfile
from pathlib import Path


def write_private(file: Path, text: str, *, mode: int = 0o600) -> None:
    """Put `text` into `file` in one step: a reader, or a start after a crash, sees the old or the new whole."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as content:
            content.write(text)
            content.flush()
            os.fsync(content.fileno())
        draft.chmod(mode)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)  # gone already, unless something failed

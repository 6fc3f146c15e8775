"""
Writes C{etc/gows.toml}: every setting, commented, with its default.

C{python -m gows.sample > etc/gows.toml} makes it anew; a test compares.
"""

from __future__ import annotations

import textwrap
from typing import Any

from gows.sources import TABLE, Setting

_HEAD = """\
# Every setting of gows, with its default. Made from gows/settings.py.
#
# twistd gows --config /etc/gows.toml
#
# A flag on the command line wins over the environment, which wins over this
# file: --max-message-size, GOWS_MAX_MESSAGE_SIZE, max-message-size.
# In the environment, blanks separate the items of a list.
"""


def sample() -> str:
    """Write the file. Settings that are unset by default are commented out."""
    return _HEAD + "".join(map(_entry, TABLE))


def _entry(setting: Setting) -> str:
    allowed = ("a list, each " if setting.isRepeatable else "") + setting.allowed
    comment = f"{setting.help[0].upper()}{setting.help[1:]}. Allowed: {allowed}."
    lines = textwrap.wrap(comment, 76, break_on_hyphens=False)
    if setting.advice:
        lines.append(f"On the open internet: {setting.name} = {setting.advice}")
    unset = "# " if setting.default is None else ""
    value = setting.example or _toml("" if setting.default is None else setting.default)
    return "\n".join(
        ["", *(f"# {line}" for line in lines), f"{unset}{setting.name} = {value}", ""]
    )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(sample(), end="")

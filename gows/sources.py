"""Where settings come from: flags, the environment, a TOML file, in that order."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta

from gows.allowed import Check
from gows.errors import SettingError
from gows.settings import Settings

ENVIRONMENT_PREFIX: Final = "GOWS_"
CONFIG_VARIABLE: Final = "GOWS_CONFIG"
DOOR_VARIABLE: Final = "GOWS_DOOR"
KEY_VARIABLE: Final = "GOWS_API_KEY"
TOKEN_VARIABLE: Final = "GOWS_TOKEN"

_NO_SETTINGS: Final = (CONFIG_VARIABLE, DOOR_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE)
"""What else the environment may hold: for the command line."""


class Setting(NamedTuple):
    """
    One field of L{Settings}, as its sources see it.

    @ivar field: C{maxMessageSize}
    @ivar name: C{max-message-size}, in files and, after C{--}, on the command line
    @ivar variable: C{GOWS_MAX_MESSAGE_SIZE}
    @ivar hint: its type with all annotations
    @ivar help: what it does
    @ivar allowed: what one value may be
    @ivar check: what the type does not say of a text, or L{None}
    @ivar advice: its value in TOML for the open internet; empty: the default will do
    @ivar example: a value in TOML, of one that is unset by default
    """

    field: str
    name: str
    variable: str
    hint: Any
    default: Any
    help: str
    allowed: str
    check: Check | None
    advice: str
    example: str

    @property
    def isRepeatable(self) -> bool:
        """Whether it takes several values."""
        return isinstance(self.default, tuple)

    @property
    def isSwitch(self) -> bool:
        """Whether its flag takes no value."""
        return isinstance(self.default, bool)


def _settingOf(field: str, hint: Any, default: Any) -> Setting:
    notes: list[Any] = []
    kind = _unwrapped(hint, notes)
    metas = [note for note in notes if isinstance(note, Meta)]
    [helpText] = [meta.description for meta in metas if meta.description]
    checks = [note for note in notes if isinstance(note, Check)]
    name = re.sub(r"[A-Z]", lambda found: f"-{found[0].lower()}", field)
    return Setting(
        field,
        name,
        ENVIRONMENT_PREFIX + name.replace("-", "_").upper(),
        hint,
        default,
        helpText,
        checks[0].allowed if checks else _allowed(kind, metas),
        checks[0] if checks else None,
        *(
            "".join((meta.extra or {}).get(what, "") for meta in metas)
            for what in ("advice", "example")
        ),
    )


def _unwrapped(hint: Any, notes: list[Any]) -> Any:
    """Take annotations, C{| None} and C{tuple[...]} off a type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        notes.extend(hint.__metadata__)
        return _unwrapped(args[0], notes)
    if origin is tuple:
        return _unwrapped(args[0], notes)
    if isinstance(hint, UnionType) or NoneType in args:
        [inner] = [arg for arg in args if arg is not NoneType]
        return _unwrapped(inner, notes)
    return hint


def _allowed(kind: Any, metas: Iterable[Meta]) -> str:
    if kind is bool:
        return "true or false"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(get_args(kind))
    [(least, most)] = [(meta.ge, meta.le) for meta in metas if meta.ge is not None]
    if kind is int:
        return f"a whole number from {least} to {most}"
    return f"a number from {least:g} to {most:g}"


_HINTS = get_type_hints(Settings, include_extras=True)

TABLE: Final = tuple(
    _settingOf(field.name, _HINTS[field.name], field.default)
    for field in msgspec.structs.fields(Settings)
)
"""All settings, in the order of their declaration."""


def readSettings(
    flags: Mapping[str, Any],
    environment: Mapping[str, str],
    config: str | None = None,
) -> Settings:
    """
    Read all sources.

    @param flags: from the command line, by L{Setting.name}: strings, lists of
        strings for repeatable ones, true for switches; only what was given
    @param environment: such as C{os.environ}
    @param config: the path of the TOML file, if one was given on the command line
    @raise SettingError: one line that names the setting, where it came from, and
        what is allowed
    """
    config = config or environment.get(CONFIG_VARIABLE)
    values = _fromFile(config) if config else {}
    values |= _fromEnvironment(environment)
    for setting in TABLE:
        if setting.name in flags:
            values[setting.field] = _converted(
                setting, flags[setting.name], f"--{setting.name}", strict=False
            )
    settings = Settings(**values)
    if (settings.cert is None) != (settings.key is None):
        given, missing = ("cert", "key") if settings.cert else ("key", "cert")
        raise SettingError(
            f"{missing} is missing: {given} is set, and the two go together "
            "(they may name one file)"
        )
    return settings


def _fromEnvironment(environment: Mapping[str, str]) -> dict[str, Any]:
    byVariable = {setting.variable: setting for setting in TABLE}
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _NO_SETTINGS:
            continue
        setting = byVariable.get(variable)
        if setting is None:
            raise SettingError(
                f"{variable} (environment) is no setting"
                + suggestion(variable, [*byVariable, *_NO_SETTINGS])
            )
        value = text.split() if setting.isRepeatable else text
        where = f"{variable} (environment)"
        values[setting.field] = _converted(setting, value, where, strict=False)
    return values


def _fromFile(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise SettingError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{path}: is not UTF-8, as TOML must be") from None
    except (ValueError, RecursionError) as error:  # ValueError: huge numbers, too
        raise SettingError(f"{path}: is not TOML: {error}") from None
    byName = {setting.name: setting for setting in TABLE}
    values: dict[str, Any] = {}
    for name, value in table.items():
        setting = byName.get(name)
        if setting is None:
            raise SettingError(
                f"{_shown(name)} in {path} is no setting{suggestion(name, byName)}"
            )
        where = f"{name} in {path}"
        values[setting.field] = _converted(setting, value, where, strict=True)
    return values


def _converted(setting: Setting, value: Any, where: str, strict: bool) -> Any:
    try:
        converted = msgspec.convert(value, setting.hint, strict=strict)
    except ValueError:  # msgspec's ValidationError, or a text that is not Unicode
        raise _notAllowed(setting, where, value, strict) from None
    if setting.check is not None:
        for text in converted if setting.isRepeatable else [converted]:
            try:
                setting.check.parse(text)
            except ValueError:
                raise _notAllowed(setting, where, text, strict=False) from None
    return converted


def _notAllowed(
    setting: Setting, where: str, value: object, strict: bool
) -> SettingError:
    each = "a list, each " if strict and setting.isRepeatable else ""
    return SettingError(f"{where} must be {each}{setting.allowed}, not {_shown(value)}")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def suggestion(name: str, known: Iterable[str]) -> str:
    """Ask, behind an error, whether a similar name was meant; or say nothing."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def unknownFlag(flag: str) -> str:
    """Say in one line that a flag does not exist."""
    names = [*(setting.name for setting in TABLE), "config", "help", "version"]
    return f"--{flag} is no setting" + suggestion(flag, names).replace(
        "mean ", "mean --"
    )

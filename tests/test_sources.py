"""Tests for where settings come from, and which source wins."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.errors import SettingError
from gows.settings import Settings
from gows.sources import readSettings, unknownFlag

PROPERTY = settings(max_examples=60, deadline=None, database=None, derandomize=True)


class SourcesCase(SynchronousTestCase):
    """Writes files for the tests."""

    def file(self, content: str | bytes) -> str:
        """Write a file and answer its path."""
        path = Path(self.mktemp())
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def refused(
        self,
        flags: dict[str, object] | None = None,
        environment: dict[str, str] | None = None,
        config: str | None = None,
    ) -> str:
        """Assert that sources are refused; answer the one line that says why."""
        error = self.assertRaises(
            SettingError, readSettings, flags or {}, environment or {}, config
        )
        self.assertEqual(len(str(error).splitlines()), 1)
        return str(error)


class PrecedenceTests(SourcesCase):
    """A flag wins over the environment, which wins over the file."""

    def test_alone(self) -> None:
        """Each source is heard when the others say nothing."""
        config = self.file("port = 1\n")
        self.assertEqual(readSettings({}, {}, config).port, 1)
        self.assertEqual(readSettings({}, {"GOWS_PORT": "2"}).port, 2)
        self.assertEqual(readSettings({"port": "3"}, {}).port, 3)

    def test_environmentWins(self) -> None:
        """The environment wins over the file."""
        config = self.file("port = 1\n")
        self.assertEqual(readSettings({}, {"GOWS_PORT": "2"}, config).port, 2)

    def test_flagWins(self) -> None:
        """A flag wins over both."""
        config = self.file("port = 1\n")
        read = readSettings({"port": "3"}, {"GOWS_PORT": "2"}, config)
        self.assertEqual(read.port, 3)

    def test_oneByOne(self) -> None:
        """A source that names one setting leaves the others to the next."""
        config = self.file('port = 1\nbinary = "relay"\nduplicate = "allow"\n')
        read = readSettings(
            {"port": "3"}, {"GOWS_PORT": "2", "GOWS_BINARY": "refuse"}, config
        )
        self.assertEqual(read, Settings(port=3, binary="refuse", duplicate="allow"))

    def test_listsAreReplaced(self) -> None:
        """A list of a stronger source stands for the whole, it is not added to."""
        config = self.file('listen = ["tcp:1", "tcp:2"]\n')
        self.assertEqual(readSettings({}, {}, config).listen, ("tcp:1", "tcp:2"))
        variables = {"GOWS_LISTEN": "tcp:3"}
        self.assertEqual(readSettings({}, variables, config).listen, ("tcp:3",))
        read = readSettings({"listen": ["tcp:4"]}, variables, config)
        self.assertEqual(read.listen, ("tcp:4",))

    def test_listsAreEmptied(self) -> None:
        """An empty variable empties a list of the file."""
        config = self.file('origin = ["https://app.example"]\n')
        self.assertEqual(readSettings({}, {"GOWS_ORIGIN": ""}, config).origin, ())

    def test_switchedOff(self) -> None:
        """What the file switches on the environment can switch off."""
        config = self.file("anonymous = true\n")
        self.assertIs(readSettings({}, {}, config).anonymous, True)
        read = readSettings({}, {"GOWS_ANONYMOUS": "false"}, config)
        self.assertIs(read.anonymous, False)
        read = readSettings({"anonymous": True}, {"GOWS_ANONYMOUS": "false"}, config)
        self.assertIs(read.anonymous, True)

    def test_wrongThoughOverridden(self) -> None:
        """A wrong value is a mistake even where a stronger source is right."""
        self.refused({"port": "3"}, {"GOWS_PORT": "x"})
        self.refused({"port": "3"}, {"GOWS_PORT": "2"}, self.file("port = 0.5\n"))


class FlagsTests(SourcesCase):
    """Flags are named as the settings are."""

    def test_repeated(self) -> None:
        """A repeatable flag's values are kept in their order."""
        read = readSettings({"origin": ["https://b.example", "https://a.example"]}, {})
        self.assertEqual(read.origin, ("https://b.example", "https://a.example"))

    def test_unknown(self) -> None:
        """For a flag that does not exist a similar one is named."""
        self.assertEqual(
            unknownFlag("prot"), "--prot is no setting; did you mean --port?"
        )
        self.assertEqual(
            unknownFlag("max-mesage-size"),
            "--max-mesage-size is no setting; did you mean --max-message-size?",
        )

    def test_unknownButNoSetting(self) -> None:
        """Flags that are no settings are named, too."""
        self.assertIn("did you mean --config?", unknownFlag("confg"))
        self.assertIn("did you mean --help?", unknownFlag("hlep"))

    def test_nothingSimilar(self) -> None:
        """Where nothing is similar nothing is suggested."""
        self.assertEqual(unknownFlag("zzz"), "--zzz is no setting")


class EnvironmentTests(SourcesCase):
    """Variables begin with GOWS_, and all that do are settings."""

    def test_others(self) -> None:
        """Other programs' variables are nobody's concern."""
        variables = {"PORT": "1", "GOWSX": "1", "XGOWS_PORT": "1", "gows_port": "1"}
        self.assertEqual(readSettings({}, variables), Settings())

    def test_unknown(self) -> None:
        """A variable that is no setting is refused, and a similar one named."""
        self.assertEqual(
            self.refused(environment={"GOWS_PROT": "1"}),
            "GOWS_PROT (environment) is no setting; did you mean GOWS_PORT?",
        )
        message = self.refused(environment={"GOWS_CONFG": "x"})
        self.assertIn("did you mean GOWS_CONFIG?", message)

    def test_nothingSimilar(self) -> None:
        """Where nothing is similar nothing is suggested."""
        self.assertEqual(
            self.refused(environment={"GOWS_ZZZZZZZZZZZZZZ": "1"}),
            "GOWS_ZZZZZZZZZZZZZZ (environment) is no setting",
        )

    def test_prefixAlone(self) -> None:
        """The prefix alone is no setting either."""
        message = self.refused(environment={"GOWS_": "1"})
        self.assertTrue(message.startswith("GOWS_ (environment) is no setting"))

    def test_notUTF8(self) -> None:
        """What is not UTF-8 (Python keeps it as surrogates) is refused."""
        for variable in ("GOWS_PORT", "GOWS_BINARY", "GOWS_PING_INTERVAL"):
            message = self.refused(environment={variable: "\udcff"})
            self.assertIn(f"{variable} (environment) must be ", message)

    def test_lists(self) -> None:
        """Blanks of all kinds separate a list's items."""
        read = readSettings({}, {"GOWS_LISTEN": " tcp:1\ttcp:2\n  tcp:3 "})
        self.assertEqual(read.listen, ("tcp:1", "tcp:2", "tcp:3"))

    def test_null(self) -> None:
        """No word unsets a setting: a file may be called null."""
        self.assertEqual(readSettings({}, {"GOWS_LOG_FILE": "null"}).logFile, "null")


class FileTests(SourcesCase):
    """A file is TOML, with the settings at its top level."""

    def test_whichFile(self) -> None:
        """The file is named by a flag, or by GOWS_CONFIG; the flag wins."""
        one, two = self.file("port = 1\n"), self.file("port = 2\n")
        self.assertEqual(readSettings({}, {}, one).port, 1)
        self.assertEqual(readSettings({}, {"GOWS_CONFIG": two}).port, 2)
        self.assertEqual(readSettings({}, {"GOWS_CONFIG": two}, one).port, 1)

    def test_noFile(self) -> None:
        """Without a name, or with an empty one, no file is read."""
        self.assertEqual(readSettings({}, {"GOWS_CONFIG": ""}), Settings())
        self.assertEqual(readSettings({}, {}, ""), Settings())

    def test_empty(self) -> None:
        """A file may be empty, or hold comments only."""
        for content in ("", "\n", "# port = 1\n"):
            self.assertEqual(readSettings({}, {}, self.file(content)), Settings())

    def test_missing(self) -> None:
        """A file that is not there is named, from either source."""
        path = self.mktemp()
        wanted = f"{path}: cannot be read: No such file or directory"
        self.assertEqual(self.refused(config=path), wanted)
        self.assertEqual(self.refused(environment={"GOWS_CONFIG": path}), wanted)

    def test_directory(self) -> None:
        """A directory is no file."""
        path = self.mktemp()
        Path(path).mkdir()
        self.assertEqual(
            self.refused(config=path), f"{path}: cannot be read: Is a directory"
        )

    def test_notTOML(self) -> None:
        """A broken file is refused with the place where it breaks."""
        for content in (
            "port\n",
            "port = \n",
            "port = 1 2\n",
            "port = 8888\nport = 8888\n",
            'app = "a.b\n',
            "port: 1\n",
            "\n\n[",
            '{"port": 1}',
            "\0",
        ):
            config = self.file(content)
            message = self.refused(config=config)
            self.assertTrue(message.startswith(f"{config}: is not TOML: "), message)
            self.assertRegex(message, r"at line \d|at end of document")

    def test_tooDeep(self) -> None:
        """A file that nests without end is refused like another broken one."""
        config = self.file("port = " + "[" * 100_000)
        self.assertIn(f"{config}: is not TOML: ", self.refused(config=config))

    def test_hugeNumbers(self) -> None:
        """A number of thousands of digits is refused like another wrong one."""
        for digits in ("9" * 5000, "0x" + "f" * 5000):
            config = self.file(f"port = {digits}\n")
            self.assertIn(config, self.refused(config=config))

    def test_notUTF8(self) -> None:
        """A file in another encoding is refused for that."""
        for content in (b'app = "\xff"\n', "port = 1\n".encode("utf-16")):
            config = self.file(content)
            self.assertEqual(
                self.refused(config=config), f"{config}: is not UTF-8, as TOML must be"
            )

    def test_unknown(self) -> None:
        """A name that is no setting is refused, and a similar one named."""
        config = self.file("prot = 1\n")
        self.assertEqual(
            self.refused(config=config),
            f"'prot' in {config} is no setting; did you mean port?",
        )

    def test_otherSpellings(self) -> None:
        """In a file a setting has one name, with hyphens."""
        for name in ("max_message_size", "maxMessageSize", "--max-message-size"):
            config = self.file(f"{name} = 1\n")
            message = self.refused(config=config)
            self.assertTrue(
                message.endswith("; did you mean max-message-size?"), message
            )

    def test_nothingSimilar(self) -> None:
        """Where nothing is similar nothing is suggested."""
        for name in ("zzz", '""', '"a\\nb"'):
            message = self.refused(config=self.file(f"{name} = 1\n"))
            self.assertTrue(message.endswith(" is no setting"), message)

    def test_tables(self) -> None:
        """There are no tables: a setting inside of one is not overlooked."""
        for content in ("[gows]\nport = 1\n", "gows.port = 1\n"):
            message = self.refused(config=self.file(content))
            self.assertIn("'gows' in ", message)
        message = self.refused(config=self.file("[port]\na = 1\n"))
        self.assertIn("port in ", message)

    @PROPERTY
    @given(
        st.binary(max_size=60)
        | st.text('portanymus-=[]"#.\n 0189', max_size=40).map(str.encode)
    )
    def test_anything(self, content: bytes) -> None:
        """Whatever a file holds, it is read or refused, on one line."""
        config = self.file(content)
        try:
            readSettings({}, {}, config)
        except SettingError as error:
            self.assertEqual(len(str(error).splitlines()), 1)
            self.assertIn(config, str(error))


class PairTests(SourcesCase):
    """A certificate and its key go together."""

    def test_both(self) -> None:
        """They may come from different sources, and name one file."""
        read = readSettings({"cert": "a.pem"}, {"GOWS_KEY": "a.pem"})
        self.assertEqual((read.cert, read.key), ("a.pem", "a.pem"))

    def test_one(self) -> None:
        """One without the other is refused, and the missing one named."""
        self.assertIn("key is missing: cert is set", self.refused({"cert": "a.pem"}))
        message = self.refused(environment={"GOWS_KEY": "a.pem"})
        self.assertIn("cert is missing: key is set", message)

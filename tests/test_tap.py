"""Tests for L{gows.tap}: the command line, and what is made of it."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import cast

from twisted.application.service import IService, IServiceMaker
from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogPublisher
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows import __version__, tap
from gows.chat.application import BroadcastChat
from gows.chat.inbound import roomFor
from gows.interfaces import IChat
from gows.service import GowsService
from gows.settings import Settings
from gows.sources import TABLE
from gows.tap import Options, makeService
from gows.terminal import Terminal
from gows.wire.factory import GowsFactory
from tests.support import FOREGROUND, Ended, Server, recorder, run, webSocket

BAD_VALUES = {
    "port": ["", "x", "-1", "65536", "1.5", "null", "8888 "],
    "interface": ["", "localhost", "127.0.0.1:80", "[::1]", "300.1.1.1"],
    "listen": ["", "tcp", ":8888", "  "],
    "cert": ["", " "],
    "key": [""],
    "log-level": ["", "loud", "INFO", "warning"],
    "log-file": ["", " "],
    "origin": ["", "app.example", "https://app.example/", "https://", "*"],
    "token-key": ["", " "],
    "token-issuer": [""],
    "token-audience": ["", "  "],
    "token-leeway": ["-1", "300.1", "301", "5s", "nan", ""],
    "binary": ["", "zip", "GZIP"],
    "duplicate": ["", "kick"],
    "max-message-size": ["0", "-5", "1073741825", "64k", ""],
    "compress-level": ["0", "10", "best"],
    "compress-threshold": ["-1", "1073741825", "1k"],
    "max-delay": ["-0.1", "1.1", "20", "20ms", "nan"],
    "send-buffer": ["-1", "1073741825", "256k"],
    "slow-limit": ["0", "1023", "1073741825", "1M"],
    "slow-policy": ["", "drop", "newest", "CLOSE"],
    "backlog-limit": ["0", "65535", "1099511627777", "256M"],
    "max-rooms": ["0", "10001", "all"],
    "presence-limit": ["-1", "10001", "no"],
    "max-errors": ["-1", "1000001", "ten"],
    "rate": ["-1", "100001", "20/s", "nan"],
    "byte-rate": ["-1", "1099511627777", "64k", "1.5"],
    "max-per-address": ["-1", "10000001", "few"],
    "open-rate": ["-1", "100001", "20/s", "nan"],
    "max-connections": ["-1", "10000001", "many"],
    "handshake-timeout": ["0", "0.01", "86401", "-1", "nan", "inf", "soon", ""],
    "close-timeout": ["0", "86401", "nan"],
    "ping-interval": ["-1", "86401", "nan", "inf"],
    "ping-timeout": ["0", "86401", "nan"],
    "trusted-proxy": ["", "proxy.example", "10.0.0.1/8", "10.0.0.0/33", "UNIX"],
    "admin": ["", "tcp", ":8889", "8889"],
    "api-key-file": ["", " "],
    "admin-host": ["", "ops.example:8889", "https://ops.example", "*", "::1"],
    "admin-origin": ["", "ops.example", "https://ops.example/", "*"],
    "drain-timeout": ["-0.1", "86401", "nan", "1 minute"],
    "app": ["", "application", "my module.Chat", "my-module.Chat", ".Chat"],
}
"""By flag; the switches take no value."""

APPLICATION = '''\
"""An application that shouts."""

from gows.chat.application import BroadcastChat
from gows.chat.inbound import roomFor


class Shouting(BroadcastChat):
    """What one says goes to everyone, in capitals."""

    def onMessage(self, connection, message):
        """Shout."""
        return super().onMessage(connection, message.saying(message.text.upper()))


class NoApplication:
    """Takes the chat and has none of the callbacks."""

    def __init__(self, chat):
        """Do nothing."""
'''


def parsed(*arguments: str) -> Options:
    """Parse a command line."""
    options = Options()
    options.parseOptions([*arguments])
    return options


class EnvironmentCase(SynchronousTestCase):
    """
    Tests that have an environment of their own.

    @ivar variables: what is in it
    """

    def setUp(self) -> None:
        """Begin with an empty one."""
        self.variables: dict[str, str] = {}
        self.patch(os, "environ", self.variables)

    def write(self, name: str, text: str) -> str:
        """Write a file, and answer its path."""
        path = Path(self.mktemp())
        path.mkdir()
        path /= name
        path.write_text(text)
        return str(path)

    def refusal(self, *arguments: str) -> str:
        """Answer the line with which a command line is refused."""
        refused = self.assertRaises(SystemExit, parsed, *arguments)
        line = str(refused.code)
        self.assertTrue(line.startswith("gows: "), line)
        self.assertNotIn("\n", line)
        return line


class OptionsTests(EnvironmentCase):
    """Settings from flags, the environment and a file."""

    def test_nothing(self) -> None:
        """Without any option all settings have their defaults."""
        self.assertEqual(parsed().settings, Settings())

    def test_flags(self) -> None:
        """Each flag sets its setting; repeatable ones gather their values."""
        options = parsed(
            *("--port", "0", "--interface", "::1", "--cert", "a.pem", "--key=b.pem"),
            *("--listen", "tcp:1", "--listen", "unix:/run/gows", "--anonymous"),
            *("--log-level", "debug", "--log-file", "gows.log", "--binary", "relay"),
            *("--origin", "null", "--origin", "https://app.example"),
            *("--duplicate", "allow", "--max-message-size", "1"),
            *("--max-connections", "2", "--handshake-timeout", "0.5"),
            *("--close-timeout", "1.5", "--ping-interval", "0"),
            *("--ping-timeout", "2.5", "--trusted-proxy", "unix"),
            *("--trusted-proxy", "10.0.0.0/8", "--drain-timeout", "0"),
            *("--app", "some.Application", "--compress-level", "1"),
            *("--compress-threshold", "0", "--max-delay", "0", "--send-buffer", "0"),
            *("--slow-limit", "4096", "--slow-policy", "latest"),
            *("--backlog-limit", "65536", "--admin", "tcp:2"),
            *("--api-key-file", "keys", "--admin-host", "ops", "--admin-host", "b.c"),
            *("--admin-origin", "null", "--admin-origin", "https://ops"),
        )

        self.assertEqual(
            options.settings,
            Settings(
                port=0,
                interface="::1",
                cert="a.pem",
                key="b.pem",
                listen=("tcp:1", "unix:/run/gows"),
                anonymous=True,
                logLevel="debug",
                logFile="gows.log",
                binary="relay",
                origin=("null", "https://app.example"),
                duplicate="allow",
                maxMessageSize=1,
                maxConnections=2,
                handshakeTimeout=0.5,
                closeTimeout=1.5,
                pingInterval=0.0,
                pingTimeout=2.5,
                trustedProxy=("unix", "10.0.0.0/8"),
                drainTimeout=0.0,
                app="some.Application",
                compressLevel=1,
                compressThreshold=0,
                maxDelay=0,
                sendBuffer=0,
                slowLimit=4096,
                slowPolicy="latest",
                backlogLimit=65536,
                admin="tcp:2",
                apiKeyFile="keys",
                adminHost=("ops", "b.c"),
                adminOrigin=("null", "https://ops"),
            ),
        )

    def test_environment(self) -> None:
        """Each setting has a variable; blanks separate the items of a list."""
        self.variables.update(
            GOWS_PORT="7",
            GOWS_ANONYMOUS="true",
            GOWS_LISTEN="tcp:1 tcp:2",
            GOWS_MAX_MESSAGE_SIZE="9",
            PATH="/bin",
        )

        self.assertEqual(
            parsed().settings,
            Settings(
                port=7, anonymous=True, listen=("tcp:1", "tcp:2"), maxMessageSize=9
            ),
        )

    def test_file(self) -> None:
        """A TOML file is named by a flag, or by a variable where there is none."""
        config = self.write("gows.toml", 'port = 7\norigin = ["null"]\n')
        other = self.write("other.toml", "port = 8\n")
        self.assertEqual(
            parsed("--config", config).settings, Settings(port=7, origin=("null",))
        )

        self.variables["GOWS_CONFIG"] = other
        self.assertEqual(parsed().settings, Settings(port=8))
        self.assertEqual(parsed("--config", config).settings.port, 7)

    def test_precedence(self) -> None:
        """A flag wins over the environment, which wins over the file."""
        config = self.write(
            "gows.toml",
            "port = 1\nmax-connections = 1\nping-interval = 1\norigin = ['null']\n"
            "listen = ['tcp:1', 'tcp:2']\n",
        )
        self.variables.update(
            GOWS_PORT="2", GOWS_MAX_CONNECTIONS="2", GOWS_LISTEN="tcp:3"
        )

        settings = parsed("--config", config, "--port", "3", "--listen", "tcp:4")
        self.assertEqual(
            settings.settings,
            Settings(
                port=3,
                maxConnections=2,
                pingInterval=1.0,
                origin=("null",),
                listen=("tcp:4",),
            ),
        )

    def test_zeroWins(self) -> None:
        """A flag that says 0 wins over what the environment says."""
        self.variables.update(
            GOWS_PORT="2", GOWS_PING_INTERVAL="3", GOWS_MAX_CONNECTIONS="4"
        )

        settings = parsed(
            "--port=0", "--ping-interval", "0", "--max-connections", "0"
        ).settings
        self.assertEqual(
            (settings.port, settings.pingInterval, settings.maxConnections), (0, 0, 0)
        )


class RefusedOptionsTests(EnvironmentCase):
    """Each refusal is one line that names what is wrong and what is allowed."""

    def test_badValues(self) -> None:
        """Every setting refuses values that make no sense, naming what does."""
        byName = {setting.name: setting for setting in TABLE}
        self.assertEqual(
            BAD_VALUES.keys(),
            {name for name, setting in byName.items() if not setting.isSwitch},
        )
        for name, values in BAD_VALUES.items():
            for value in values:
                line = self.refusal(f"--{name}={value}")
                self.assertIn(f"--{name} must be {byName[name].allowed}, not", line)
                self.assertIn(repr(value), line)

    def test_environment(self) -> None:
        """A variable is named as the source, unknown ones included."""
        self.variables["GOWS_BINARY"] = "zip"
        self.assertIn("GOWS_BINARY (environment) must be one of gzip", self.refusal())
        del self.variables["GOWS_BINARY"]
        self.variables["GOWS_BINRAY"] = "gzip"
        line = self.refusal()
        self.assertIn("GOWS_BINRAY (environment) is no setting", line)
        self.assertIn("did you mean GOWS_BINARY?", line)

    def test_file(self) -> None:
        """A file is named as the source, for each way to be wrong."""
        for text, expected in (
            ("port = '1'\n", "port in {} must be a whole number from 0 to 65535"),
            ("prot = 1\n", "'prot' in {} is no setting; did you mean port?"),
            ("port = \n", "{}: is not TOML: "),
            ("anonymous = 1\n", "anonymous in {} must be true or false"),
            ("listen = 'tcp:1'\n", "listen in {} must be a list, each a Twisted"),
            ("[server]\nport = 1\n", "'server' in {} is no setting"),
        ):
            path = self.write("gows.toml", text)
            self.assertIn(
                expected.format(path), self.refusal("--config", path), msg=text
            )
        missing = f"{self.mktemp()}/gows.toml"
        line = self.refusal("--config", missing)
        self.assertIn(f"{missing}: cannot be read: No such file or directory", line)

    def test_unknownFlag(self) -> None:
        """An unknown flag gets a suggestion if there is one like it."""
        self.assertEqual(
            self.refusal("--prot", "1"),
            "gows: --prot is no setting; did you mean --port?",
        )
        self.assertEqual(self.refusal("--zzz"), "gows: --zzz is no setting")
        self.assertIn("-x", self.refusal("-x"))

    def test_shape(self) -> None:
        """A value too few or too many, or an argument, is refused in one line."""
        self.assertIn("--port", self.refusal("--port"))
        self.assertIn("--anonymous", self.refusal("--anonymous=yes"))
        for arguments in (["serve"], ["--anonymous", "8888"], ["--", "-x"]):
            self.assertIn("no arguments", self.refusal(*arguments))

    def test_half(self) -> None:
        """A certificate without its key, or a key alone, is refused."""
        self.assertIn("key is missing", self.refusal("--cert", "a.pem"))
        self.assertIn("cert is missing", self.refusal("--key", "a.pem"))


class HelpTests(SynchronousTestCase):
    """What --help and --version show."""

    def output(self, flag: str) -> str:
        """Answer what a flag prints before it ends the process with status 0."""
        with redirect_stdout(StringIO()) as printed:
            ended = self.assertRaises(SystemExit, parsed, flag)
        self.assertIn(ended.code, (0, None))
        return printed.getvalue()

    def test_help(self) -> None:
        """--help lists every setting with what is allowed, and its default."""
        text = " ".join(self.output("--help").split())
        for setting in TABLE:
            self.assertIn(f"--{setting.name}", text)
            self.assertIn(" ".join(setting.help.split()), text)
            self.assertIn(" ".join(setting.allowed.split()), text)
        self.assertIn("--config", text)
        self.assertIn("[8888]", text)

    def test_version(self) -> None:
        """--version shows one line."""
        self.assertEqual(self.output("--version"), f"gows {__version__}\n")


class MakeServiceTests(SynchronousTestCase):
    """What C{makeService} puts together."""

    def service(self, *arguments: str) -> GowsService:
        """Make a service of a command line."""
        self.patch(os, "environ", {})
        service = makeService(parsed(*arguments))
        assert isinstance(service, GowsService)
        return service

    def test_plugin(self) -> None:
        """There is a plugin for twistd, and its options are ours."""
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        makers = {maker.tapname: maker for maker in getPlugins(IServiceMaker)}

        self.assertIs(makers["gows"].options, Options)
        self.assertIs(makers["gows"].makeService, makeService)

    def test_service(self) -> None:
        """It is a service with one factory, which has the settings."""
        service = self.service("--max-message-size", "77", "--ping-interval", "9")

        verifyObject(IService, service)
        verifyObject(IChat, service.factory)
        self.assertIsInstance(service.factory, GowsFactory)
        self.assertEqual(service.factory.maxMessagePayloadSize, roomFor(77))
        self.assertEqual(service.factory.autoPingInterval, 9)
        self.assertIsInstance(service.factory.application, BroadcastChat)
        self.assertIn(service.listening, list(service))
        self.assertEqual(service.listening.ports, ())

    def test_certificate(self) -> None:
        """With a certificate there is one service more, started before the ports."""
        plain = list(self.service())
        secure = list(self.service("--cert", "a.pem", "--key", "a.pem"))

        self.assertEqual(len(secure), len(plain) + 1)
        self.assertEqual(
            [type(service).__name__ for service in secure][:2],
            ["ReloadingCertificate", "ListeningService"],
        )

    def test_noDoor(self) -> None:
        """Settings of a door that is not there are named in the log."""
        events, record = recorder()
        observe = cast(ILogObserver, record)
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        flags = "--api-key-file", "/no/such.keys", "--admin-host", "ops"
        self.service(*flags)
        self.service("--admin", "tcp:0:interface=127.0.0.1", *flags)
        self.service()
        said = [formatEvent(e) for e in events if e["log_level"] is LogLevel.warn]
        self.assertEqual(
            said,
            [
                "there is no operators' door (admin), so these do nothing: "
                "api-key-file, admin-host"
            ],
        )

    def test_cannotStart(self) -> None:
        """An application that is not there ends the start with one line."""
        screen = self.enterContext(tempfile.TemporaryFile())
        self.patch(tap, "Terminal", partial(Terminal, descriptor=screen.fileno()))
        ended = self.assertRaises(SystemExit, self.service, "--app", "no.Such")
        screen.seek(0)

        self.assertEqual(ended.code, 1)
        self.assertRegex(screen.read(), rb"\Agows: app no.Such cannot be .*\n\Z")


class CommandTests(SynchronousTestCase):
    """The real C{twistd} and C{twist}."""

    def setUp(self) -> None:
        """Make a folder to run in."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def assertOneLine(self, ended: Ended, pattern: str) -> None:
        """Check that a command failed with one line, and wrote nothing else."""
        self.assertEqual(ended.status, 1, ended)
        self.assertEqual(ended.out, "")
        self.assertRegex(ended.err, rf"\Agows: .*{pattern}.*\n\Z")
        self.assertEqual(ended.err.count("\n"), 1, ended.err)

    def test_refused(self) -> None:
        """Bad usage ends twistd and twist alike: one line, status 1, no usage."""
        cases = (
            (("--prot", "1"), "did you mean --port"),
            (("stray",), "no arguments"),
            (("--port", "x"), "--port must be a whole number"),
            (("--app", "no_such.Chat"), "app no_such.Chat cannot be imported"),
        )
        *byTwistd, byTwist = run(
            *([*FOREGROUND, "gows", *arguments] for arguments, _ in cases),
            ["twist", "gows", *cases[0][0]],
            folder=self.folder,
        )

        for ended, (_, pattern) in zip(byTwistd, cases, strict=True):
            self.assertOneLine(ended, pattern)
        self.assertOneLine(byTwist, cases[0][1])

    def test_shown(self) -> None:
        """--help and --version are answered, with status 0."""
        shownHelp, version = run(
            [*FOREGROUND, "gows", "--help"],
            ["twist", "gows", "--version"],
            folder=self.folder,
        )

        self.assertEqual((shownHelp.status, shownHelp.err), (0, ""))
        self.assertRegex(shownHelp.out, r"--max-message-size=")
        self.assertEqual(version, Ended(0, f"gows {__version__}\n", ""))


class ApplicationOnPathTests(SynchronousTestCase):
    """Applications of one's own, on PYTHONPATH."""

    def setUp(self) -> None:
        """Write a module that gows knows nothing of."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.folder.joinpath("shouting_for_test.py").write_text(APPLICATION)
        self.patch(os, "environ", {**os.environ, "PYTHONPATH": str(self.folder)})

    def test_used(self) -> None:
        """It is imported from there, and does what it does with the messages."""
        self.assertNotIn(str(self.folder), sys.path)
        with (
            Server("--app", "shouting_for_test.Shouting") as server,
            webSocket(server.wsUrl) as client,
        ):
            client.send("hello")

            self.assertEqual(client.recv(timeout=20), "HELLO")

    def test_brokenModule(self) -> None:
        """A module that cannot be imported is named in one line, with the place."""
        for name, text in (
            ("syntax", "class ("),
            ("names", "no_such_name"),
            ("leaves", "import sys; sys.exit(0)"),
        ):
            self.folder.joinpath(f"{name}_for_test.py").write_text(text)
            [ended] = run(
                [*FOREGROUND, "gows", "--app", f"{name}_for_test.App"],
                folder=self.folder,
            )
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertRegex(
                ended.err,
                rf"\Agows: app {name}_for_test.App cannot be .*(Error|Exit).*\n\Z",
            )

    def test_notAnApplication(self) -> None:
        """A class without the callbacks is named in one line."""
        [ended] = run(
            [*FOREGROUND, "gows", "--app", "shouting_for_test.NoApplication"],
            folder=self.folder,
        )

        self.assertEqual((ended.status, ended.out), (1, ""))
        self.assertTrue(re.fullmatch(r"gows: .*IApplication\n", ended.err), ended)

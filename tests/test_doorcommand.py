"""Tests for L{gows.commands.doorcommand}: where the door is, and with which key."""

from __future__ import annotations

from tests.commands import DoorCommandCase
from tests.support import freePort

KEY = "k3y" * 8


class PlaceTests(DoorCommandCase):
    """The door is where an option, the environment, or the settings say."""

    def test_places(self) -> None:
        """An option counts most, then GOWS_DOOR, then the server's own settings."""
        self.serve()
        url = self.variables.pop("GOWS_DOOR")
        port = url.rpartition(":")[2]
        nowhere = f"http://127.0.0.1:{freePort()}"
        config = self.file(
            "gows.toml", f'admin = "tcp:{port}:interface=127.0.0.1"\n'.encode()
        )
        for arguments, variables in (
            (("--door", url), {"GOWS_DOOR": nowhere}),
            ((), {"GOWS_DOOR": url, "GOWS_ADMIN": "tcp:1"}),
            ((), {"GOWS_ADMIN": f"tcp:{port}"}),
            (("--config", config), {}),
        ):
            self.variables.clear()
            self.variables.update(variables)
            output = self.output("publish", "hello", *arguments)
            self.assertEqual(output, "0 readers\n")

    def test_wrong(self) -> None:
        """What is no place is refused; nor is the door of every endpoint known."""
        self.assertIn("--door: ", self.fault("publish", "x", "--door", "nonsense"))
        self.variables["GOWS_ADMIN"] = "systemd:domain=INET:index=0"
        self.assertIn("--door", self.fault("publish", "x"))


class KeyTests(DoorCommandCase):
    """A key comes from a file, the environment, or the settings."""

    def test_keys(self) -> None:
        """Each of them opens; without one, or with a wrong one, it stays closed."""
        path = self.file("keys", f"ops: {KEY}\n".encode())
        self.serve("--api-key-file", path)
        line = self.fault("publish", "x", status=3)
        self.assertIn("GOWS_API_KEY", line)
        self.variables["GOWS_API_KEY"] = "wrong"
        self.assertIn("wrong", self.fault("publish", "x", status=3))
        self.variables["GOWS_API_KEY"] = KEY
        self.assertEqual(self.output("publish", "x"), "0 readers\n")
        del self.variables["GOWS_API_KEY"]
        self.assertEqual(
            self.output("publish", "x", "--api-key-file", path), "0 readers\n"
        )
        self.variables["GOWS_API_KEY_FILE"] = path
        self.assertEqual(self.output("publish", "x"), "0 readers\n")
        self.assertNotIn(KEY, self.server.log())

    def test_noKey(self) -> None:
        """What cannot be a key is not sent, nor shown."""
        self.variables["GOWS_API_KEY"] = "sécret\nwhat"
        line = self.fault("publish", "x")
        self.assertIn("GOWS_API_KEY", line)
        self.assertNotIn("what", line)

    def test_noFile(self) -> None:
        """A file that cannot be read is named."""
        self.assertIn(
            "nowhere", self.fault("publish", "x", "--api-key-file", "nowhere")
        )
        line = self.fault("publish", "x", "--api-key-file", "")
        self.assertIn("--api-key-file", line)

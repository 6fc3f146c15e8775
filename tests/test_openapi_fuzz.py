"""The API against its description: schemathesis asks a real server all it can."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.doors import KEY
from tests.support import Server, environment, freePort
from tests.tokens import publicJwk, written

EXAMPLES = 40
"""How many requests of each kind, for each call."""

SECONDS = 60.0

SETTINGS = """\
[checks.positive_data_acceptance]
# 422: an Idempotency-Key is good or not by what came with it before, which no schema
# says. All else that the description allows has to be taken.
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]
"""


class FuzzTests(SynchronousTestCase):
    """Every call of a real server, with good requests and bad ones."""

    def test_asDocumented(self) -> None:
        """Each answer is as /openapi.json has it, whatever was asked for."""
        port = freePort()
        server = Server(
            *("--admin", f"tcp:{port}:interface=127.0.0.1", "--api-key-file", "keys"),
            *("--token-key", "token-key.json", "--log-level", "warn"),
            doors=0,
        )
        (server.folder / "keys").write_text(f"backend: {KEY}\n")
        (server.folder / "schemathesis.toml").write_text(SETTINGS)
        written(server.folder / "token-key.json", publicJwk("EdDSA"))
        with server:
            url = f"http://127.0.0.1:{port}/openapi.json"
            ended = subprocess.run(
                [
                    *(sys.executable, "-m", "schemathesis.cli", "run", url),
                    *("--header", f"Authorization: Bearer {KEY}"),
                    *("--max-examples", str(EXAMPLES)),
                    *("--checks", "all", "--no-color", "--wait-for-schema", "10"),
                    "--generation-deterministic",
                ],
                check=False,
                cwd=server.folder,
                env=environment(PYTHONHASHSEED="0"),
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
            self.assertFalse(server.hasEnded())
            self.assertNotIn("Traceback", server.log())
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)

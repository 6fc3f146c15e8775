"""Tests for L{gows.web.readiness}."""

from __future__ import annotations

from twisted.web.resource import IResource
from twisted.web.test.requesthelper import DummyRequest
from zope.interface.verify import verifyObject

from gows.web.readiness import Readiness
from tests.memory import Answer, MemoryTestCase, closeFrame, request


class ReadinessTests(MemoryTestCase):
    """Load balancers ask /readyz."""

    def setUp(self) -> None:
        """Have a server."""
        super().setUp()
        self.server = self.factory()

    def ready(self, method: str = "GET") -> Answer:
        """Ask it."""
        return self.ask(self.server, request(method, "/readyz", {"Host": "gows.test"}))

    def test_ready(self) -> None:
        """A server that runs is ready."""
        answer = self.ready()
        self.assertEqual((answer.status, answer.body), (200, b"ready\n"))
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertNotIn("retry-after", answer.headers)

    def test_full(self) -> None:
        """One that is full is ready: who replaces a connection gets in."""
        self.server = self.factory(maxConnections=1)
        self.opened(self.server)
        self.assertEqual(self.ready().status, 200)

    def test_draining(self) -> None:
        """It is not from the moment when it is told to stop, until it has."""
        client = self.opened(self.server)
        done = self.server.drain(10)
        answer = self.ready()
        self.assertEqual((answer.status, answer.body), (503, b"draining\n"))
        self.assertEqual(answer.headers["retry-after"], "2")
        client.send(closeFrame(1001))
        self.successResultOf(done)
        self.assertEqual(self.ready().status, 503)

    def test_head(self) -> None:
        """HEAD gets the same without the body."""
        self.server.drain(10)
        head, got = self.ready("HEAD"), self.ready()
        self.assertEqual((head.status, head.headers), (got.status, got.headers))

    def test_methods(self) -> None:
        """Nothing else is answered."""
        post = DummyRequest([b"readyz"])
        post.method = b"POST"
        Readiness(lambda: False).render(post)  # type: ignore[arg-type]  # a double
        self.assertEqual(post.responseCode, 405)
        self.assertEqual(post.responseHeaders.getRawHeaders("Allow"), ["GET, HEAD"])

    def test_resource(self) -> None:
        """It may be put anywhere."""
        self.assertTrue(verifyObject(IResource, Readiness(lambda: False)))

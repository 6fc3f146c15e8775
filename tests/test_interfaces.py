"""Tests for who provides what applications are given."""

from __future__ import annotations

from zope.interface.verify import verifyClass, verifyObject

from gows.access.request import OpeningRequest, RequestHead
from gows.chat.context import Context
from gows.interfaces import IApplication, IChat, IConnection, IRequest
from gows.wire.factory import GowsFactory
from gows.wire.protocol import GowsProtocol
from tests.memory import Chat, MemoryTestCase


class InterfacesTests(MemoryTestCase):
    """What is documented for applications is what they get."""

    def test_chat(self) -> None:
        """The factory is the server, as applications see it."""
        verifyClass(IChat, GowsFactory)
        factory = self.factory()
        verifyObject(IChat, factory)
        application = factory.application
        assert isinstance(application, Chat)
        self.assertIs(application.chat, factory)

    def test_connection(self) -> None:
        """A protocol that is open is a connection."""
        verifyClass(IConnection, GowsProtocol)
        factory = self.factory()
        alice = self.client(factory)
        self.assertTrue(alice.protocol.isOpen)
        verifyObject(IConnection, alice.server)
        self.assertEqual(factory.lookUp("alice:0"), (alice.server,))

    def test_connectionThatIsGone(self) -> None:
        """What an application may ask of a connection is there after its end."""
        alice = self.client(self.factory())
        alice.protocol.sendClose(1000)
        alice.flush()
        verifyObject(IConnection, alice.server)
        self.assertEqual(alice.server.context.specialKey, "alice")

    def test_request(self) -> None:
        """An opening is what applications decide on."""
        verifyClass(IRequest, OpeningRequest)
        head = RequestHead.parse(b"GET / HTTP/1.1\r\n\r\n")
        request = OpeningRequest(Context("a"), head, "unix", None, False)
        verifyObject(IRequest, request)

    def test_application(self) -> None:
        """What the server calls is an application."""
        verifyObject(IApplication, self.factory().application)

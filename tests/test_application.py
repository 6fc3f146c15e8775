"""Tests for the base of applications, and for the default one."""

from __future__ import annotations

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from gows.access.request import OpeningRequest, RequestHead
from gows.chat.application import Application, BroadcastChat
from gows.chat.audience import toRoom
from gows.chat.context import Context
from gows.chat.message import Message
from gows.interfaces import IApplication, IChat, IConnection

CONTEXT = Context("alice", True, {"room": "a"})


@implementer(IChat)
class Chat:
    """
    A chat that remembers.

    @ivar said: each message
    """

    def __init__(self) -> None:
        """Nothing is said yet."""
        self.said: list[Message] = []

    def broadcast(self, payload: str | bytes, isBinary: bool = False) -> None:
        """Remember."""
        self.said.append(Message.of(payload, isBinary))

    def publish(self, message: Message) -> None:
        """Remember."""
        self.said.append(message)

    def lookUp(self, key: str) -> tuple[IConnection, ...]:
        """Find nobody."""
        return ()

    def connectionsOf(self, specialKey: str) -> tuple[IConnection, ...]:
        """Find nobody."""
        return ()


@implementer(IConnection)
class Connection:
    """
    A connection that remembers.

    @ivar calls: what was asked of it
    """

    context = CONTEXT
    address = "203.0.113.7"

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.calls: list[tuple[object, ...]] = []

    def send(self, payload: str | bytes, isBinary: bool = False) -> None:
        """Remember."""
        self.calls.append(("send", payload, isBinary))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Remember."""
        self.calls.append(("close", code, reason))


HEAD = RequestHead.parse(b"GET / HTTP/1.1\r\n\r\n")
REQUEST = OpeningRequest(CONTEXT, HEAD, "203.0.113.7", None, False)


class ApplicationTests(SynchronousTestCase):
    """The base of applications lets everybody in and does nothing else."""

    def setUp(self) -> None:
        """Make an application, and a connection for it."""
        self.chat = Chat()
        self.connection = Connection()
        self.application = Application(self.chat)

    def test_interface(self) -> None:
        """It has all the callbacks, with the arguments that they are given."""
        verifyClass(IApplication, Application)
        verifyObject(IApplication, self.application)

    def test_chat(self) -> None:
        """An application reaches the server that it was made for."""
        self.assertIs(self.application.chat, self.chat)

    def test_everybodyComesIn(self) -> None:
        """Who comes is who the URL says, with all that it said."""
        self.assertIs(self.application.onConnect(REQUEST), CONTEXT)

    def test_nothingElse(self) -> None:
        """No callback says anything, closes anything, or is to be waited for."""
        failure = Failure(RuntimeError("it broke"))
        for answer in (
            self.application.onOpen(self.connection),
            self.application.onMessage(self.connection, Message(b"hi")),
            self.application.onError(self.connection, failure),
            self.application.onClose(self.connection, True, 1000, ""),
        ):
            self.assertIsNone(answer)
        self.assertEqual(self.chat.said, [])
        self.assertEqual(self.connection.calls, [])


class BroadcastChatTests(SynchronousTestCase):
    """What one says goes to everyone."""

    def setUp(self) -> None:
        """Make the default application, and a connection for it."""
        self.chat = Chat()
        self.connection = Connection()
        self.application = BroadcastChat(self.chat)

    def test_interface(self) -> None:
        """It is an application like any other."""
        verifyClass(IApplication, BroadcastChat)
        verifyObject(IApplication, self.application)

    def test_message(self) -> None:
        """A message is published once, as it came, to whom it is for."""
        text, binary = (
            Message("café".encode(), audience=toRoom("a")),
            Message(b"\xff", True),
        )
        for message in (text, binary):
            self.assertIsNone(self.application.onMessage(self.connection, message))
        self.assertEqual(self.chat.said, [text, binary])
        self.assertEqual(self.connection.calls, [])

    def test_quiet(self) -> None:
        """Nobody is told who comes and goes."""
        self.application.onConnect(REQUEST)
        self.application.onOpen(self.connection)
        self.application.onClose(self.connection, False, 1006, "")
        self.assertEqual(self.chat.said, [])

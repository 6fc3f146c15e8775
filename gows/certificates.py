"""The certificate of the public door, read again when it changes."""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL, crypto
from twisted.application.service import MultiService
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import FileWatch

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"


def readCertificate(chainFile: str, keyFile: str) -> SSL.Context:
    """
    Read a certificate chain and its key, and check that they fit together.

    @param chainFile: PEM: the certificate first, then the intermediate ones
    @param keyFile: PEM, not encrypted
    @return: TLS 1.2 and newer with this certificate
    @raise CannotStart: one line that names the file and what is wrong with it
    """
    chain = _readChain(chainFile)
    key = _readKey(keyFile)
    try:
        options = CertificateOptions(
            privateKey=key,
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=TLSVersion.TLSv1_2,
        )
        context: SSL.Context = options.getContext()
        context.check_privatekey()
    except (SSL.Error, ValueError) as error:
        raise CannotStart(
            f"the key in {keyFile} does not fit the certificate in {chainFile}"
        ) from error
    return context


def _readChain(path: str) -> list[crypto.X509]:
    blocks = _read(path).split(_BEGIN)[1:]
    if not blocks:
        raise CannotStart(f"{path} holds no PEM certificate")
    try:
        return [
            crypto.load_certificate(crypto.FILETYPE_PEM, _BEGIN + block)
            for block in blocks
        ]
    except crypto.Error:
        raise CannotStart(f"{path} holds a broken certificate") from None


def _readKey(path: str) -> crypto.PKey:
    def noPassphrase(*_: object) -> bytes:
        raise CannotStart(f"the key in {path} is encrypted: it must not be")

    pem = _read(path)
    try:
        return crypto.load_privatekey(crypto.FILETYPE_PEM, pem, noPassphrase)
    except (crypto.Error, ValueError):
        raise CannotStart(f"{path} holds no PEM private key") from None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None


@implementer(IOpenSSLServerConnectionCreator)
class ReloadingCertificate(MultiService):
    """
    Gives each new connection the newest certificate.

    A broken new one changes nothing but the log; open connections live on.
    """

    def __init__(
        self, chainFile: str, keyFile: str, journal: Journal, clock: IReactorTime
    ) -> None:
        """Remember the files; they are read at the start of the service."""
        super().__init__()
        self._files = chainFile, keyFile
        self._journal = journal
        self._context: SSL.Context | None = None
        self._watch = FileWatch(*self._files, changed=self.reload, clock=clock)
        self._watch.setServiceParent(self)

    def privilegedStartService(self) -> None:
        """
        Read the certificate, while the process may still be root.

        @raise CannotStart: if it is no good
        """
        super().privilegedStartService()
        self._context = readCertificate(*self._files)
        self._journal.certificateLoaded(self._files[0])

    def startService(self) -> None:
        """Watch the files."""
        if self._context is None:
            self.privilegedStartService()
        super().startService()

    def reload(self) -> None:
        """Read the files again, and keep what there is if they are broken."""
        self._watch.note()
        try:
            self._context = readCertificate(*self._files)
        except CannotStart as error:
            self._journal.certificateKept(str(error))
        else:
            self._journal.certificateLoaded(self._files[0])

    def serverConnectionForTLS(
        self, tlsProtocol: TLSMemoryBIOProtocol
    ) -> SSL.Connection:
        """See L{IOpenSSLServerConnectionCreator}."""
        assert self._context is not None, "the service has not been started"
        return SSL.Connection(self._context, None)

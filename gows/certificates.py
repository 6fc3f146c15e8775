"""The certificate of the public door, read again when it changes."""

from __future__ import annotations

from functools import partial
from typing import Final

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from gows.errors import CannotStart
from gows.journal import Journal
from gows.watching import Read, ReloadedFiles, readFile

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"


def readCertificate(chainFile: str, keyFile: str, read: Read = readFile) -> SSL.Context:
    """
    Read a certificate chain and its key, and check that they fit together.

    @param chainFile: PEM: the certificate first, then the intermediate ones
    @param keyFile: PEM, not encrypted
    @param read: reads them
    @return: TLS 1.2 and newer with this certificate
    @raise CannotStart: one line that names the file and what is wrong with it
    """
    chain = _chainOf(read(chainFile), chainFile)
    key = _keyOf(read(keyFile), keyFile)
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


def _chainOf(pem: bytes, path: str) -> list[crypto.X509]:
    blocks = pem.split(_BEGIN)[1:]
    if not blocks:
        raise CannotStart(f"{path} holds no PEM certificate")
    try:
        return [
            crypto.load_certificate(crypto.FILETYPE_PEM, _BEGIN + block)
            for block in blocks
        ]
    except crypto.Error:
        raise CannotStart(f"{path} holds a broken certificate") from None


def _keyOf(pem: bytes, path: str) -> crypto.PKey:
    def noPassphrase(*_: object) -> bytes:
        raise CannotStart(f"the key in {path} is encrypted: it must not be")

    try:
        return crypto.load_privatekey(crypto.FILETYPE_PEM, pem, noPassphrase)
    except (crypto.Error, ValueError):
        raise CannotStart(f"{path} holds no PEM private key") from None


@implementer(IOpenSSLServerConnectionCreator)
class ReloadingCertificate(ReloadedFiles[SSL.Context]):
    """Gives each new connection the newest certificate; open ones live on."""

    def __init__(
        self, chainFile: str, keyFile: str, journal: Journal, clock: IReactorTime
    ) -> None:
        """Remember the files."""
        super().__init__(
            chainFile,
            keyFile,
            read=partial(readCertificate, chainFile, keyFile),
            taken=lambda _: journal.certificateLoaded(chainFile),
            kept=journal.certificateKept,
            clock=clock,
        )

    def serverConnectionForTLS(
        self, tlsProtocol: TLSMemoryBIOProtocol
    ) -> SSL.Connection:
        """See L{IOpenSSLServerConnectionCreator}."""
        return SSL.Connection(self.current(), None)

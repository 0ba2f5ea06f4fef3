"""A service's own TLS: its certificate and key, which can be read again while it serves."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import NoReturn

from rehearsal.errors import InputError, unreadable_file

CERTIFICATE, KEY = "--tls-certificate", "--tls-key"


class ServerTls:
    """TLS of version 1.2 or later, with a certificate from a file.

    Args:
        certificate: PEM file with the certificate and those between it and a known authority.
        key: PEM file with the private key, without a passphrase.

    Raises:
        InputError: A file cannot be used, the key is not that of the certificate, or others than
            owner and group may read it.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files.

        Args:
            certificate: PEM file with the certificate and those between it and a known authority.
            key: PEM file with the private key, without a passphrase.

        Raises:
            InputError: As the class says.
        """
        self._certificate, self._key = certificate, key
        self.context = self._fresh()

    def reload(self) -> None:
        """Read the files again, for connections from now on.

        Raises:
            InputError: As at the start. The certificate is then the one before.
        """
        self._fresh()  # a context that was given a certificate without its key is of no use
        self._load(self.context)

    def _fresh(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        for option, path in ((CERTIFICATE, self._certificate), (KEY, self._key)):
            try:
                path.read_bytes()
            except OSError as error:
                raise InputError(path, option, "a PEM file", unreadable_file(error)) from None
        if stat.S_IMODE(self._key.stat().st_mode) & stat.S_IRWXO:
            expected = "a key that only its owner and group may read (chmod 640)"
            raise InputError(self._key, KEY, expected, "a key that others may read")

        def ask() -> NoReturn:
            raise InputError(self._key, KEY, "a key without a passphrase", "an encrypted key")

        try:
            context.load_cert_chain(self._certificate, self._key, ask)
        except ssl.SSLError as error:
            reason = (error.reason or "no reason given").lower().replace("_", " ")
            place = f"{CERTIFICATE}, {KEY} {self._key}"
            expected = "a certificate and its private key in PEM"
            raise InputError(self._certificate, place, expected, f"others ({reason})") from None

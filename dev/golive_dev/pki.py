"""Throw-away certificates and keys of one control plane."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALIDITY = dt.timedelta(days=7)
"""How long a certificate is good for; a control plane lives for minutes, rarely days."""

BACKDATING = dt.timedelta(hours=1)
"""Certificates begin in the past, so that a clock set back does not void them."""


def _new_key() -> ec.EllipticCurvePrivateKey:
    """Return a P-256 key: made in microseconds, and known to every client."""
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as the unencrypted SEC 1 PEM that kube-apiserver reads for any purpose."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return the key usage of an authority or of a leaf."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_name(host: str) -> x509.GeneralName:
    """Return an IP address as such, anything else as a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


class Authority:
    """A certificate authority that writes what it signs into one folder."""

    def __init__(self, folder: Path, *, now: dt.datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._now = now
        self._key = _new_key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "golive-dev-ca")])
        builder = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.certificate_file = folder / "ca.crt"
        self.certificate_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        """Return what every certificate of this authority has in common."""
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - BACKDATING)
            .not_valid_after(self._now + VALIDITY)
        )

    def issue(
        self, stem: str, user: str, groups: Sequence[str] = (), hosts: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """Write `<stem>.crt` and `<stem>.key` and return both paths.

        Args:
            stem: File name without its ending.
            user: Common name; the user name that the API server sees.
            groups: Organizations; the groups that the API server sees.
            hosts: Names and addresses the holder serves at; also makes it a server certificate.
        """
        key = _new_key()
        names = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = self._builder(x509.Name(names), key)
        if hosts:
            purposes.append(ExtendedKeyUsageOID.SERVER_AUTH)
            alternatives = x509.SubjectAlternativeName([_alternative_name(host) for host in hosts])
            builder = builder.add_extension(alternatives, critical=False)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        certificate_file, key_file = self.folder / f"{stem}.crt", self.folder / f"{stem}.key"
        certificate = builder.sign(self._key, hashes.SHA256())
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_secret(key_file, _pem(key))
        return certificate_file, key_file

    def signing_key(self, stem: str) -> tuple[Path, Path]:
        """Write a key pair that signs ServiceAccount tokens and return public and private path."""
        key = _new_key()
        public_file, private_file = self.folder / f"{stem}.pub", self.folder / f"{stem}.key"
        public_file.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        _write_secret(private_file, _pem(key))
        return public_file, private_file

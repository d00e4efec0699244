"""What the keys of our certificates are for (RFC 5280, 4.2.1.3)."""

from cryptography import x509


def key_usage(*, signs: bool) -> x509.KeyUsage:
    """The extension of an authority, which signs certificates and lists of revoked ones, or of whoever shows one."""
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )

"""Trust roots: the certificates under which quotes are believed.

A root is known by its fingerprint, never by a name that it gives itself. Whether hardware was real is read off
the fingerprint alone: what is not Intel's root is simulated.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nebula.attestation.errors import QuoteRejectedError
from nebula.protocol.ids import Hash32, to_hex

# Public: https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer
_INTEL_SGX_ROOT_PEM = b"""\
-----BEGIN CERTIFICATE-----
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIw
aDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv
cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJ
BgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG
A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0
aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi7
1OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB
uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJ
MEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50
ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SV
Ur9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI
KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwg
AiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=
-----END CERTIFICATE-----
"""


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """One trust root: its certificate, byte for byte."""

    certificate_der: bytes

    @classmethod
    def intel(cls) -> Self:
        """Return Intel's SGX root, the only one that real hardware chains to."""
        return cls(x509.load_pem_x509_certificate(_INTEL_SGX_ROOT_PEM).public_bytes(Encoding.DER))

    @property
    def fingerprint(self) -> Hash32:
        """The SHA-256 of the certificate: how policies, studies and receipts name this root."""
        return to_hex(hashlib.sha256(self.certificate_der).digest())

    @property
    def simulated(self) -> bool:
        """Whether quotes under this root come from simulated hardware."""
        return is_simulated(self.fingerprint)

    def certificate(self) -> x509.Certificate:
        """Return the parsed certificate.

        Raises:
            QuoteRejectedError: these are not the bytes of a certificate.
        """
        try:
            return x509.load_der_x509_certificate(self.certificate_der)
        except (ValueError, x509.InvalidVersion) as error:
            raise QuoteRejectedError("trust-root", f"the trust root is not a certificate: {error}") from error


INTEL_FINGERPRINT: Hash32 = TrustRoot.intel().fingerprint


def is_simulated(fingerprint: Hash32) -> bool:
    """Whether quotes under the root with this fingerprint come from simulated hardware."""
    return fingerprint != INTEL_FINGERPRINT

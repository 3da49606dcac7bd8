"""Where a party is reached on its own machine, wherever it listens."""

import httpx2
import pytest

from nebula.transport.urls import url_here


@pytest.mark.parametrize(
    ("listens", "reached"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("0:0:0:0:0:0:0:0", "::1"),
        ("::1", "::1"),
        ("2001:db8::7", "2001:db8::7"),
        ("hub.example.org", "hub.example.org"),
    ],
)
def test_a_party_has_a_url_on_its_own_machine(listens: str, reached: str) -> None:
    url = httpx2.URL(url_here(listens, 8080))
    assert (url.host, url.port) == (reached, 8080)

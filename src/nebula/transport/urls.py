"""The URL at which a party's own machine reaches it."""

from ipaddress import IPv6Address, ip_address

_LOOPBACK = {4: ip_address("127.0.0.1"), 6: ip_address("::1")}


def url_here(host: str, port: int) -> str:
    """Return the URL, seen from this machine, of a party that listens at a host, by name or address, and a port.

    Who listens at every address (``0.0.0.0``, ``::``) does so at this machine's own, too.
    """
    try:
        address = ip_address(host)
    except ValueError:  # a name
        return f"http://{host}:{port}"
    if address.is_unspecified:
        address = _LOOPBACK[address.version]
    return f"http://[{address}]:{port}" if isinstance(address, IPv6Address) else f"http://{address}:{port}"

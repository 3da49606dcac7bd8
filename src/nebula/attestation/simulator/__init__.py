"""Simulated SGX hardware: a CPU, its quoting enclave and Intel's collateral service, under a development root.

Everything has the bytes of the real thing and is served where the real thing would be, so that the code on both
sides is the same. It protects nothing: whoever holds the folder of the development PKI can sign any quote. Its
certificates say so, and no production policy accepts its root.

Never imported by a party: it runs as a process of its own (``python -m nebula.attestation.simulator``).
"""

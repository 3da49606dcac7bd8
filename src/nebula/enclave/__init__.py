"""The worker inside SGX: one process, one run.

What runs here is what keepers measure. It has no network: it speaks with its untrusted host over a pipe, and through
it, in sealed and signed envelopes, with the keepers; ciphertext it reads from storage by itself.
"""

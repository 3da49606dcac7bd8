"""A keeper: holds one share of each data key, and seals it to an attested session when the owner's consent says so.

One module per step of the protocol: ``enrol``, ``consent``, ``match``, ``nonces``, ``appraise``, ``release``,
``confirm``, ``forget``. A keeper never sees anyone's data, and its share alone opens nothing.
"""

"""The shared language: what the parties say to each other, and the rules they all apply.

Pure: no network, no files, no clock, no logging. Start with ``study`` and ``consent``, then ``receipt``.
"""

"""The enclave's host: the machine around the CPU. Trusted with nothing.

It asks the hub for work, starts one worker per run, carries its sealed envelopes to the keepers, and hands in what
comes out. It holds no state: whatever is killed when, the hub gives the same order again.
"""

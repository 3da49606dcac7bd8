"""Numerics on arrays: what the enclave computes. Each analysis is a function of arrays, with no I/O."""

"""Evidence in and out: quotes of enclaves, what they prove, and whether that is enough.

Two halves. The *quoting* half (``quoting``, ``report_data``) runs inside the enclave and loads nothing of the
other. The *verifying* half (``verify``, ``appraisal``, ``collateral``, ``evidence``) runs at keepers and auditors.
``simulator`` stands in for the hardware, under a trust root of its own that says so.
"""

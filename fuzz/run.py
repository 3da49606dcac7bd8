"""Fuzz parsers with atheris, one after the other: ``python fuzz/run.py SECONDS TARGET…``.

Inputs that reach new code are kept below ``fuzz/found/TARGET``; one that breaks the law is written to
``fuzz/found/TARGET-crash-…`` and its traceback told. Put it into ``fuzz/corpus/TARGET`` with the repair, and every run
of the tests tries it.
"""

import os
import resource
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nebula"]):
    from targets import TARGETS

HERE = Path(__file__).resolve().parent
MEMORY_BYTES = 4 << 30
LONGEST_INPUT_BYTES = 1 << 16
#: A parser needs milliseconds; a machine that others use may make it wait.
SECONDS_OF_ONE_INPUT = 25


def main() -> int:
    """Fuzz each target in a process of its own; return 1 where one broke the law."""
    seconds, *names = sys.argv[1:]
    broken = []
    for name in names:
        child = os.fork()
        if child == 0:
            fuzz(name, seconds)
        _, status = os.waitpid(child, 0)
        if status:
            broken.append(name)
    print(f"fuzzed {', '.join(names)}; broken: {', '.join(broken) or 'none'}")
    return bool(broken)


def fuzz(name: str, seconds: str) -> None:
    """Fuzz a target for so many seconds; libFuzzer ends the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    found, corpus = HERE / "found" / name, HERE / "corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    for known in sorted(corpus.iterdir()):
        TARGETS[name](known.read_bytes())  # what is imported late is imported before an input's seconds are counted
    options = {
        "max_total_time": seconds,
        "timeout": SECONDS_OF_ONE_INPUT,
        "max_len": LONGEST_INPUT_BYTES,
        "rss_limit_mb": MEMORY_BYTES >> 20,
        "malloc_limit_mb": 1024,
        "artifact_prefix": f"{HERE}/found/{name}-",
        "print_final_stats": 1,
    }
    arguments = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(found), str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())

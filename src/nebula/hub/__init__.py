"""The hub: catalogue, relay and study orchestration. It can delay, but not read, forge or steal."""

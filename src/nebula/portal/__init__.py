"""The pages of hub and vault alike, and the charts on them."""

"""Raw data of consumer tests: a text of markers and letters, whose columns and words are each vendor's own.

The files say neither their assembly, nor, or not surely, which strand their letters are of: the panel tells both.
"""

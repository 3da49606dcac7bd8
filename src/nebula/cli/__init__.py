"""The command line: ``nebula NOUN VERB``. Results on stdout, progress and errors on stderr."""

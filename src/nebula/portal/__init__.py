"""Charts of what a study found."""

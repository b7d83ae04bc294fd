"""The Classify page's parts, one concept a file."""

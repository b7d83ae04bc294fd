"""The Attribution page's parts, one concept a file."""

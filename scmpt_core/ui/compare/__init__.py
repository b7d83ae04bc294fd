"""The Compare page's parts, one concept a file."""

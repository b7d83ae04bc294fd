"""The Ablations page's parts, one concept a file."""

"""scMPT: label single cells with a text encoder, scGPT and their fusion, and see why."""

__version__ = "0.1.0"

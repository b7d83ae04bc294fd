"""scMPT: label single cells with a text encoder, scGPT and their fusion, and see why."""

import os

# PyTorch's OpenMP threads wait for each other in a busy loop. Where any other process holds a
# core, each wait then costs a time slice: embedding fell from 270 to 12 cells/s on 2 cores with
# one other process, and to 160 with short spins, which cost little when alone. Read by libgomp
# when it loads, so it must be set before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

__version__ = "0.1.0"

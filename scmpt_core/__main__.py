"""``python -m scmpt_core``."""

from scmpt_core.cli import main

main()

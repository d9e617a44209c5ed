"""`python -m experiments`: the `tandem` command with the code of the working directory.

dvc.yaml calls it in this way, so that the copies that `dvc exp run --queue` makes run their own code and not that of
the checkout that is installed.
"""

from experiments.cli.main import main

main()

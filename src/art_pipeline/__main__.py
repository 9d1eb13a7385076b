"""``python -m art_pipeline``: the same as ``kedro`` in the project's folder."""

from kedro.framework.cli.cli import main

if __name__ == "__main__":
    main()

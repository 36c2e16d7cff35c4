"""``python -m pushdeploy``: the same program where its script is not on PATH."""

from pushdeploy.cli import main

if __name__ == "__main__":
    main()

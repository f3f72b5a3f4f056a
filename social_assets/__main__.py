"""`python -m social_assets`: the command line."""

from social_assets.cli.main import main

if __name__ == "__main__":
    main()

"""`python -m sq_micro`."""

from sq_micro.cli import main

if __name__ == "__main__":
    main()

"""Program a board: by the tool that its file names, on the one probe that is meant, verified afterwards.

    flash(board, elf, FlashOptions(dry_run=True))      what would be done, nothing is touched
    flash(board, elf, FlashOptions(probe="066BFF..."))

`plan` says what to do and touches nothing; `perform` does it.
"""

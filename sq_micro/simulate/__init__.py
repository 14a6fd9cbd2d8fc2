"""Runs a firmware image on a modelled core and counts its cycles; knows bytes, not what they mean.

    python -m sq_micro.simulate --elf firmware.elf --board nucleo_l4r5zi

is a child process that speaks `packets` on its standard streams: what goes in and out of the UART, and the counters.
Unicorn, whose core is under the GPL, is imported inside that child only. `qemu_counts` gets the same counts out of
QEMU, and `cycles` turns either into cycles of the core.
"""

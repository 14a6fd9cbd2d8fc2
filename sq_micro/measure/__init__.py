"""Talk to a firmware and collect what it says: link · frame · messages · session · harness.

    with Session(make_link("host", elf, board), model_hash=digest) as session:
        measurement = measure(session, samples, expected)

Below `link/` there are bytes only; above it nothing knows whether the device is silicon, a simulator or a process.
"""

"""Ways to a device. Each moves bytes and promises exactly what; none knows the protocol."""

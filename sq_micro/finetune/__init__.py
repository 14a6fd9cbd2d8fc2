"""Short quantization-aware training of a plan, in a child process: integers in, better integers out.

`launch.finetune` is what other rooms call. Keras is imported by the child alone (`python -m sq_micro.finetune`), on its
JAX backend; the modules that import it are `layers`, `forward`, `network`, `objective` and `training`.
"""

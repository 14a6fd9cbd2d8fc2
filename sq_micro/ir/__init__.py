"""The nouns: operators, topology, graphs, bitwidths. Knows of no Keras, no C and no board."""

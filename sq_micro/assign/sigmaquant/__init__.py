"""SigmaQuant (Liu, Yu, Zapater and Atienza, arXiv 2602.22136), as published, with its open choices as options."""

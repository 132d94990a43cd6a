"""What it costs: arithmetic and memory traffic by formula, the hardware catalogue, the roofline,
and what a text costs in tokens.
"""

"""Parts of bench_engine.py: what is asked (cases), of whom (peers), and how it is measured.

Each peer runs in a process of its own.
"""

"""The engine on PyTorch and transformers. torch and transformers are imported by its modules, so
import those only when one is opened.
"""

"""Where models and data sets come from when they are not on this machine, each question in one file.

`presence`: is the hub there, and under which address. `caches`: what is cached, and where our own
cache is. `local`: what lies here as a folder. `models`: fetching a model. `modelscope`: the same
from ModelScope. `downloads`: how far a download is.
"""

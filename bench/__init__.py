"""The measurements of the house, each beside its peer in the same run: `python -m bench`."""

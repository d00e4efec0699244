"""A copy of the checkout without some features, and the tests of what is left.

python -m tests.removal            # each feature alone, with those that stand on it; then all of them
python -m tests.removal batches    # one
"""

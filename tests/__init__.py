"""The tests of gows. Run them with python -m twisted.trial tests."""

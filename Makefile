# The few commands there are to learn. Each is one line of make.py, which also works without make.
PYTHON ?= python3

.PHONY: help book test check notebooks pdf model study bench setup lowest newest clean
.NOTPARALLEL:

help:
	@$(PYTHON) make.py

book test check notebooks pdf model study bench setup lowest newest clean:
	@$(PYTHON) make.py $@

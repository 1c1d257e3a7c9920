# `make run` and `make test` do everything, set-up included.
.PHONY: setup run demo test lint clean

setup:
	@setup/install

run: setup
	.venv/bin/peal up

demo: setup
	.venv/bin/python setup/demo.py

test: setup
	.venv/bin/python -m pytest

lint: setup
	.venv/bin/ruff format --check src tests setup
	.venv/bin/ruff check src tests setup
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

clean:
	rm -rf .venv var

# `make run` and `make test` do everything, set-up included.
.PHONY: setup run test lint clean

setup:
	@setup/install

run: setup
	.venv/bin/peal up

test: setup
	.venv/bin/python -m pytest

lint: setup
	.venv/bin/ruff format --check src tests
	.venv/bin/ruff check src tests
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

clean:
	rm -rf .venv var

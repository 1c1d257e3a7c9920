# `make run` and `make test` do everything, set-up included.
.PHONY: setup run demo test test-debian13 test-slow bench bench-sip bench-history bench-rules lint openapi behaviour clean

setup:
	@setup/install

run: setup
	.venv/bin/peal up

demo: setup
	.venv/bin/python setup/demo.py

# Two files of tests at a time: half of what they do is waiting.
test: setup
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The same on Debian 13, as root, in a system of its own below var/.
test-debian13:
	setup/debian13 make test

# What takes long, and ten times more of what is random.
test-slow: setup
	.venv/bin/python -m pytest -m slow
	SLOW=1 .venv/bin/python -m pytest tests/bundles/test_machine.py tests/bundles/test_races.py \
	    tests/faults tests/contract

bench: setup
	.venv/bin/python benchmarks/bench.py

bench-history: setup
	.venv/bin/python benchmarks/history/bench.py

bench-rules: setup
	.venv/bin/python benchmarks/rules.py

bench-sip: setup
	.venv/bin/python benchmarks/switch/bench.py

lint: setup
	.venv/bin/ruff format --check src tests setup benchmarks
	.venv/bin/ruff check src tests setup benchmarks
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

openapi: setup
	.venv/bin/python setup/write_openapi.py

# Which tests play each row of the behaviour table.
behaviour: setup
	.venv/bin/python setup/write_behaviour.py

clean:
	rm -rf .venv var

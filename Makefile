# make run    everything, in the foreground: http://127.0.0.1:8000 (PORT, HOST, FADEN_DATA)
# make test   every test, with what the tests need; on PostgreSQL too where a server is
#             (FADEN_TEST_PICTURES=1 keeps pictures of the pages in tests/.artifacts)
# make bench  the benchmark table (ONLY="live scale": these parts of it)
# make lint   ruff and mypy alone
.PHONY: run test bench lint

run:
	@sh deploy/venv.sh requirements.lock
	@exec .venv/bin/python -m sms

test:
	@sh deploy/venv.sh requirements-test.lock
	@sh deploy/test-system.sh
	@sh deploy/test.sh

bench:
	@sh deploy/venv.sh requirements-test.lock
	@exec .venv/bin/python -m bench $(ONLY)

lint:
	@sh deploy/venv.sh requirements-test.lock
	@.venv/bin/python -m ruff check . && .venv/bin/python -m ruff format --check . && .venv/bin/python -m mypy

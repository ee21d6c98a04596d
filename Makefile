# Everything there is to do. `make run` and `make test` are all that a fresh machine needs; see deploy/local.

SWIFT_FORMAT_PATHS = Package.swift Sources Tests Benchmarks

.PHONY: run test check lint format soak fuzz bench packages

# Installs what is missing, builds, starts a private PostgreSQL (or uses DATABASE_URL), ingest and query with a demo tenant.
# `make run DEMO_TRAFFIC=off` leaves the demo traffic out; INGEST_PORT and QUERY_PORT move the ports.
run:
	@deploy/local/run

# Installs what is missing and runs every test against a throw-away PostgreSQL. Eight at a time: hundreds at once, each with a database
# and connections of its own, take no less time, and on a busy machine some would wait for longer than a connection may.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8
test:
	@deploy/local/install-packages haproxy redis-server python3-venv
	deploy/local/with-postgres deploy/local/repeat-failures swift test

# Two things for an hour, side by side: random histories of the sample store against a naive model, and mixed load on a real ingest whose
# database and processes are killed, stopped, cut off and slowed down. Stops at the first fault and says its seed.
# `make soak SOAK_SECONDS=600`, `make soak SOAK_SEED=17` to begin with that one, `make soak SOAK=FaultSoakTests` for one of the two.
# Without SwiftPM's lock, which would keep everybody from building in the meantime.
SOAK_SECONDS ?= 3600
SOAK ?= SampleStoreTests|FaultSoakTests
soak: packages
	swift build --build-tests
	SOAK_SECONDS=$(SOAK_SECONDS) $(if $(SOAK_SEED),SOAK_SEED=$(SOAK_SEED)) \
		deploy/local/with-postgres swift test --skip-build --ignore-lock --filter '$(SOAK)'

# The whole gate; CI runs the same. The compiler treats warnings as errors (Package.swift).
check: lint test

lint:
	swift format lint --strict --recursive $(SWIFT_FORMAT_PATHS)

format:
	swift format --in-place --recursive $(SWIFT_FORMAT_PATHS)

# Every fuzzer for ten minutes, with the address sanitizer; see docs/fuzzing.md.
fuzz: packages
	deploy/local/with-postgres deploy/local/fuzz

# Side by side with other ways to do the same work; see Benchmarks/README.md. `make bench BENCH='--only a,d --seconds 5'`
# measures less.
bench:
	@deploy/local/install-packages influxdb victoria-metrics python3-venv
	deploy/local/build-release
	PATH="$$PATH:$$(ls -d /usr/lib/postgresql/*/bin | tail -1)" deploy/local/with-postgres --durable \
		"$$(swift build -c release --show-bin-path)/Benchmarks" $(BENCH)

packages:
	@deploy/local/install-packages

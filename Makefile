# What a person does with a checkout. State lives in the home (SOCIAL_ASSETS_HOME), never here.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EVENTS ?= 1000000
DEMO_ARGS ?=
RECSYS_ARGS ?=
STREAM_ARGS ?=
SERVE_ARGS ?=
UNDERSTAND_ARGS ?=
MUTATION_ARGS ?=

# Tests start some hundred processes; each compiles the sources again unless one may keep the result.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo demo-live dev kafka stop test test-browser test-deep test-endurance test-integration test-kafka test-kubernetes test-s3 test-s3-pipeline test-spark mutation lint types bench bench-recsys bench-stream bench-serve bench-scale bench-understand clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## Make .venv from pinned hashes

$(VENV)/.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install ## Generate sample files, build the whole graph, show what came out
	$(BIN)/social-assets demo --events $(EVENTS) $(DEMO_ARGS)

demo-live: install ## Live records through the whole graph, watched in the terminal and the UI
	$(BIN)/social-assets demo-live $(DEMO_ARGS)

dev: install ## Dagster UI, daemon and embedded ClickHouse on loopback
	$(BIN)/social-assets dev

kafka: install ## Start the home's own Kafka broker on loopback; needs Java 17 and Maven
	$(BIN)/social-assets kafka start

stop: install ## Stop the home's embedded ClickHouse and Kafka
	$(BIN)/social-assets stop
	$(BIN)/social-assets kafka stop

UNMARKED := -m "not kafka and not java and not spark and not deep and not endurance and not browser and not s3 and not kubernetes"
QUICK := tests/unit tests/integration/control tests/integration/ingest tests/integration/lake

test: install ## The tests of functions, of the operational store, the lake and connectors: under 5 minutes
	$(BIN)/python -m pytest $(UNMARKED) $(QUICK)

test-integration: install ## Every other test that needs only what pip installs: engine, warehouse, graph, models
	$(BIN)/python -m pytest $(UNMARKED) $(QUICK:%=--ignore=%) tests/e2e tests/integration tests/real_files tests/recsys

test-browser: install ## Dashboards in Chromium: needs Debian's package chromium; axe-core by npm, if there
	$(BIN)/python -m pytest -n 2 -m browser tests/browser

test-endurance: install ## What takes long: processes killed at many moments, the whole graph, every invariant
	$(BIN)/python -m pytest -m "endurance and not kafka and not java and not spark and not deep and not s3 and not kubernetes"

test-kafka: install ## The tests on Apache Kafka and of JDBC; needs Java 17 and Maven
	$(BIN)/python -m pytest -m "(kafka or java) and not s3" tests/integration/kafka tests/integration/resources/embedded_clickhouse

test-s3: install .s3/versitygw ## The tests on an S3 server; needs Go, and Java and Maven for drains
	$(BIN)/python -m pytest -m s3 tests/integration/s3 tests/integration/kafka/drain

test-s3-pipeline: install .s3/versitygw ## The tests of the pipeline with their lakes on an S3 server; needs Go
	LAKES_OF_TESTS=s3 $(BIN)/python -m pytest $(UNMARKED) $(ON_S3)

ON_S3 := tests/integration/pipeline tests/integration/lake/test_two_writers.py \
	tests/integration/lake/test_table_maintenance.py tests/integration/warehouse/test_current_view.py

# What it is built of is in go.mod, with the hashes in go.sum.
.s3/versitygw: tests/s3_gateway/go.mod tests/s3_gateway/go.sum
	cd tests/s3_gateway && go build -o $(abspath $@) github.com/versity/versitygw/cmd/versitygw

test-kubernetes: install .kubernetes/helm ## The tests of the Helm chart and of compose against published schemas; needs Go
	$(BIN)/python -m pytest -m kubernetes tests/integration/production

# As for the S3 server. The schemas are in Go modules too, whose hashes the script has.
.kubernetes/helm: tests/kubernetes_tools/go.mod tests/kubernetes_tools/go.sum tests/kubernetes_tools/published_schemas.py
	$(BIN)/python -m tests.kubernetes_tools.published_schemas .kubernetes
	cd tests/kubernetes_tools && go build -o $(abspath .kubernetes/kubeconform) github.com/yannh/kubeconform/cmd/kubeconform
	cd tests/kubernetes_tools && go build -o $(abspath $@) helm.sh/helm/v3/cmd/helm

test-spark: install .venv-spark/.installed ## The tests on Spark, in this process and on a cluster; needs Java 17
	PYTHONPATH=.venv-spark $(BIN)/python -m pytest -m spark -n 0 tests/integration/recommend tests/recsys tests/integration/pipeline/spark

# What the extra adds to requirements.txt, beside the environment that everything else runs in. The
# list of hashes is made of the extra in pyproject.toml by `uv pip compile -c requirements.txt`.
.venv-spark/.installed: requirements-spark.txt | install
	rm -rf .venv-spark
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes --target .venv-spark -r $<
	touch $@

test-deep: install .venv-deep/.installed ## The tests of models that JAX trains
	PYTHONPATH=.venv-deep $(BIN)/python -m pytest -n 2 -m deep tests/integration/recommend tests/recsys

# As .venv-spark; `uv pip compile` of the extra `deep`. requirements-production.txt, which the image has, is made
# so of the extra `production`, with `--generate-hashes --no-annotate --no-header --python-version 3.11`.
.venv-deep/.installed: requirements-deep.txt | install
	rm -rf .venv-deep
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --require-hashes --target .venv-deep -r $<
	touch $@

mutation: install ## Remove one behaviour at a time; a named test must fail (12 minutes)
	$(BIN)/python -m tests.mutation.run $(MUTATION_ARGS)

lint: install ## Style of Python and SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfluff lint --disable-progress-bar dbt/models

types: install ## Types, strictly
	$(BIN)/mypy

bench-recsys: install ## Every recommender on a file of pairs: RECSYS_ARGS="--train F --test F"
	$(BIN)/python -m bench.recommenders.boards $(RECSYS_ARGS)

bench: install ## The figures of bench/RESULTS.md, measured now
	$(BIN)/python -m bench.loading.clean_speed
	$(BIN)/python -m bench.loading.load_memory
	$(BIN)/python -m bench.demo

bench-stream: install ## Drain, freshness, idle and PySpark as the peer; needs Java 17 and Maven
	$(BIN)/python -m bench.streaming.all_parts $(STREAM_ARGS)

bench-serve: install ## Requests a second of API and nginx, and freshness; needs wrk and nginx
	$(BIN)/python -m bench.serving.load $(SERVE_ARGS)

bench-scale: install .venv-spark/.installed ## DuckDB and Spark: equal rows, growth to 30 million, a cluster simulated; persons forgotten; needs Java 17
	PYTHONPATH=.venv-spark $(BIN)/python -m bench.scale.spark_rebuild $(SCALE_ARGS)
	PYTHONPATH=.venv-spark $(BIN)/python -m bench.scale.spark_rebuild --skewed
	PYTHONPATH=.venv-spark $(BIN)/python -m bench.scale.growth
	PYTHONPATH=.venv-spark $(BIN)/python -m bench.scale.cluster
	$(BIN)/python -m bench.scale.forget
	$(BIN)/python -m bench.faults.disaster

bench-understand: install ## Text models, live texts, sessions, features, forecasts, predictions, search over 10 million texts (4 GB; Java 17, Maven)
	$(BIN)/python -m bench.understand.texts
	$(BIN)/python -m bench.understand.scored_texts
	$(BIN)/python -m bench.understand.sessions
	$(BIN)/python -m bench.understand.features
	$(BIN)/python -m bench.understand.forecasts
	$(BIN)/python -m bench.understand.predictions
	$(BIN)/python -m bench.understand.search $(UNDERSTAND_ARGS)

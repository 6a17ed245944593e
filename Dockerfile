# Two images from one file: --target operator (default: also the plugin) and --target engine (with the simulator).
ARG PYTHON=docker.io/library/python:3.11-slim-bookworm

FROM ${PYTHON} AS base
ENV PYTHONSAFEPATH=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY operator operator
COPY engine engine

FROM base AS build-operator
COPY requirements/operator.txt requirements/build.txt ./
RUN python -m venv /opt/golive \
 && /opt/golive/bin/pip install --no-cache-dir --require-hashes -r operator.txt \
 && pip install --no-cache-dir --require-hashes -r build.txt \
 && pip wheel --no-deps --no-build-isolation --wheel-dir /tmp . \
 && /opt/golive/bin/pip install --no-cache-dir --no-deps /tmp/golive-*.whl

FROM base AS build-engine
COPY requirements/engine.txt requirements/build.txt ./
RUN python -m venv /opt/golive \
 && /opt/golive/bin/pip install --no-cache-dir --require-hashes -r engine.txt \
 && pip install --no-cache-dir --require-hashes -r build.txt \
 && pip wheel --no-deps --no-build-isolation --wheel-dir /tmp . \
 && /opt/golive/bin/pip install --no-cache-dir --no-deps /tmp/golive-*.whl

FROM ${PYTHON} AS engine
ENV PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PATH=/opt/golive/bin:$PATH
COPY --from=build-engine /opt/golive /opt/golive
USER 65532:65532
CMD ["python", "-m", "golive_engine", "--help"]

FROM ${PYTHON} AS operator
# One arena, trimmed: threads do little here, and what a crowd of objects took goes back.
ENV PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PATH=/opt/golive/bin:$PATH MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=1000000
COPY --from=build-operator /opt/golive /opt/golive
USER 65532:65532
CMD ["python", "-m", "golive_operator"]

# Everything that is installed here is pinned by its hash: the platform by requirements.lock; the tools that build its
# wheel, which stay in a stage of their own, by requirements-dev.lock. Python 3.13 is the newest version that the whole
# test suite is run on.

FROM python:3.13-slim AS wheel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements-dev.lock ./
RUN pip install --require-hashes -r requirements-dev.lock
COPY pyproject.toml README.md LICENSE ./
COPY amarevents ./amarevents
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist .


FROM python:3.13-slim AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/amarevents
COPY requirements.lock ./
RUN pip --python /opt/amarevents/bin/python install --require-hashes -r requirements.lock
COPY --from=wheel /build/dist /dist
RUN pip --python /opt/amarevents/bin/python install --no-deps --no-index /dist/*.whl \
    && pip --python /opt/amarevents/bin/python check


FROM python:3.13-slim

ENV PATH=/opt/amarevents/bin:$PATH PYTHONUNBUFFERED=1 AMAREVENTS_HOST=0.0.0.0

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin amarevents \
    && install --directory --owner=amarevents --group=amarevents /srv/amarevents /srv/amarevents/data
COPY --from=environment /opt/amarevents /opt/amarevents

USER amarevents
WORKDIR /srv/amarevents
VOLUME /srv/amarevents/data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('AMAREVENTS_PORT') or 8000}/healthz\", timeout=2)"]

ENTRYPOINT ["amarevents"]
CMD ["serve"]

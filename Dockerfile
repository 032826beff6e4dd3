# syntax=docker/dockerfile:1
# Quoth with PostgreSQL's driver, Lance and OpenTelemetry, for the CPU.
#
#   docker build -t quoth .
#   docker run --rm -v quoth:/data quoth keys create portal     # a server that others reach needs a key first
#   docker run -p 8000:8000 -v quoth:/data quoth

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/quoth
WORKDIR /src
# The dependencies first, by the lock: they are 3 GB and change seldom. torch goes before them, from the index of its CPU builds:
# the one on PyPI brings gigabytes of CUDA along.
COPY pyproject.toml ./
COPY requirements/run.lock requirements/
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN /opt/quoth/bin/python -c 'import tomllib; print(next(need for need in tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"] if need.startswith("torch==")))' > torch.txt \
    && /opt/quoth/bin/pip install --no-deps --index-url "${TORCH_INDEX}" --requirement torch.txt \
    && /opt/quoth/bin/pip install --no-deps --require-hashes --requirement requirements/run.lock
COPY . .
RUN /opt/quoth/bin/pip install --no-deps --no-build-isolation .

FROM python:${PYTHON}-slim
RUN groupadd --system --gid 10001 quoth \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin quoth \
    && install --directory --owner=quoth --group=quoth /data
COPY --from=build /opt/quoth /opt/quoth
ENV PATH=/opt/quoth/bin:$PATH PYTHONUNBUFFERED=1 QUOTH_HOME=/data QUOTH_HOST=0.0.0.0
WORKDIR /data
USER quoth
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["quoth"]
CMD ["serve"]

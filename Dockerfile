# The registry. It listens on port 7676 and keeps everything in /data; compose.yaml says how it is run.
#   docker build -t gridferry-registry . && docker run -p 127.0.0.1:7676:7676 -v registry:/data gridferry-registry
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# Packages come first: they change less often than the code.
COPY constraints.txt ./
RUN pip install -c constraints.txt argon2-cffi click flask gunicorn pymongo

COPY project/__init__.py project/
COPY project/core project/core
COPY api_srv api_srv
RUN python -m compileall -q api_srv project \
 && useradd --uid 7676 --home-dir /data --no-create-home registry \
 && install -d -o registry -g registry -m 700 /data

USER registry
ENV GRIDFERRY_API_HOST=0.0.0.0 GRIDFERRY_API_DATA_DIR=/data
VOLUME /data
EXPOSE 7676
# 503 (the database is away) counts as unhealthy. HTTPS is a reverse proxy's business here.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7676/health', timeout=4)"]
ENTRYPOINT ["python", "-m", "api_srv"]

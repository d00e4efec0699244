# The hub. Build it in the root of the checkout: docker build -f packaging/docker/hub.Dockerfile .
FROM node:24-bookworm-slim AS pages
WORKDIR /src
COPY hub/web/ ./
RUN npm ci --ignore-scripts
RUN npm run build

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/build.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas/ schemas/
COPY broker_config/ broker_config/
COPY device_agent/ device_agent/
COPY hub/ hub/
COPY --from=pages /src/dist/ hub/web/dist/
RUN python -m hatchling build --target wheel --directory wheels

FROM python:3.11-slim-bookworm
WORKDIR /opt/floorhub
COPY requirements/hub.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/hub.txt
COPY --from=build /src/wheels/ wheels/
RUN pip install --no-cache-dir --no-deps wheels/*.whl
# Owned by the hub's user, so that a new named volume is, too.
RUN install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/floorhub /var/lib/floorhub-broker \
    /run/floorhub /etc/floorhub-tls
# FLOORHUB_URL is for the program `floorhub` inside the container.
ENV FLOORHUB_HOST=0.0.0.0 \
    FLOORHUB_DATA_DIR=/var/lib/floorhub \
    FLOORHUB_URL=http://127.0.0.1:8080 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8080
CMD ["floorhub", "serve"]

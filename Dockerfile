# syntax=docker/dockerfile:1

# The browser libraries that pages load.
FROM node:22-bookworm-slim AS browser
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# The Python packages, by hash, and everything that is made once: catalogues and static files.
FROM python:3.12-slim-bookworm AS build
ENV PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements/uv.txt requirements/base.txt requirements/
RUN pip install --require-hashes --requirement requirements/uv.txt \
    && uv venv --python "$(command -v python)" .venv \
    && uv pip install --no-cache --compile-bytecode --require-hashes --requirement requirements/base.txt
COPY . .
COPY --from=browser /build/node_modules node_modules
RUN .venv/bin/python -m launcher.catalogues \
    && .venv/bin/python -c "from launcher import bootstrap, paths; bootstrap.copy_browser_files(paths.NODE_MODULES, paths.VENDOR)" \
    && rm -rf node_modules \
    # The settings refuse to load without their secrets; none of these reaches the image.
    && ENVIRONMENT=production SECRET_KEY=not-used-while-building-the-image-0123456789-abcdefghij \
       DATABASE_URL=postgresql://nobody@nowhere/nothing REDIS_URL=redis://nowhere/0 \
       EMAIL_URL=smtp://nowhere BASE_URL=https://localhost SUPPORT_ADDRESS=nobody@localhost \
       COMPANY_NAME=Build \
       .venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && .venv/bin/python -m compileall -q helpdesk workspace portal metrics surveys messaging triage tickets people \
    && mkdir -p var/attachments

FROM python:3.12-slim-bookworm
RUN groupadd --system --gid 10001 helpdesk \
    && useradd --system --uid 10001 --gid helpdesk --no-create-home --shell /usr/sbin/nologin helpdesk
WORKDIR /app
COPY --from=build /app /app
# The code belongs to root, so that a fault in it cannot change it; only attachments are written.
RUN chown -R helpdesk:helpdesk var/attachments
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production DJANGO_SETTINGS_MODULE=helpdesk.settings
USER helpdesk
VOLUME /app/var/attachments
EXPOSE 8000
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "helpdesk.wsgi"]

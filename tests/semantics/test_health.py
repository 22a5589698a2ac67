"""Health checks where the image has no shell, or not the program that the check asks for."""

from __future__ import annotations

import time

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

# A server and a program that ends with 0, and nothing else: no /bin/sh.
DOCKERFILE = """\
FROM busybox:1 AS parts
RUN mkdir -p /out/bin /out/www && cp -a /lib* /out/ && cp /bin/busybox /out/bin/httpd \\
 && cp /bin/busybox /out/bin/true && echo up > /out/www/index.html
FROM scratch
COPY --from=parts /out /
CMD ["/bin/httpd", "-f", "-p", "8000", "-h", "/www"]
"""
COMPOSE = """\
services:
  web:
    %(image)s
    ports: ["8080:8000"]
    init: true
    healthcheck:
      interval: 30s
      test: %(test)s
"""
BUILT, NAMED = "build: .", 'image: "busybox:1"\n    command: httpd -f -p 8000 -h /etc'


def test_an_image_without_a_shell(site: Site) -> None:
    """A list works; a shell form is refused at its line, before anything is touched."""
    site.write(
        COMPOSE % {"image": BUILT, "test": '["CMD", "/bin/true"]'}, {"Dockerfile": DOCKERFILE}
    )
    site.deploy()
    assert site.get(8080) == "up"
    web = site.container("web")
    assert web["State"]["Health"]["Status"] == "healthy"
    found = site.podman("exec", web["Name"], "/bin/sh", "-c", "true", check=False)
    assert found == "", "there is no shell"

    site.write(COMPOSE % {"image": BUILT, "test": "true || exit 1"}, {"Dockerfile": DOCKERFILE})
    said = site.deploy(code=2).stderr
    assert "services.web.healthcheck.test: its command needs a shell" in said
    assert "at compose.yaml:8:" in said
    assert '["CMD", "/program", "argument"]' in said
    assert site.container("web")["Id"] == web["Id"]


@pytest.mark.parametrize("test", ['["CMD", "curl", "http://127.0.0.1:8000/"]'])
def test_a_program_that_is_not_there(site: Site, test: str) -> None:
    """It is told within seconds, not after all its rounds of 30 s."""
    site.write(COMPOSE % {"image": NAMED, "test": test})
    began = time.monotonic()
    said = site.deploy(code=1).stderr
    assert time.monotonic() - began < 25
    assert "the health check of web runs curl, which its image does not have" in said
    assert "at compose.yaml:9:" in said

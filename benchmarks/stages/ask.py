"""One request: ``ask.py URL [BODY]`` prints the answer; exit code 1 where there is none."""

import http.client
import sys
import urllib.parse


def ask(url: str, body: "bytes | None" = None) -> str:
    """A GET, or a POST of ``body``; OSError where it fails."""
    place = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=10)
    try:
        connection.request("GET" if body is None else "POST", place.path, body)
        answer = connection.getresponse()
        text = answer.read().decode()
    except http.client.HTTPException as problem:
        raise OSError(f"{url}: {problem!r}") from problem
    finally:
        connection.close()
    if answer.status >= 300:
        raise OSError(f"{url} answers {answer.status}: {text}")
    return text


if __name__ == "__main__":
    try:
        print(ask(sys.argv[1], *(word.encode() for word in sys.argv[2:3])))
    except OSError as problem:
        sys.exit(str(problem))

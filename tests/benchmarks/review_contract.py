"""Hold what `prodready review` sends to GitHub against GitHub's own descriptions of its API.

    npm install --prefix /tmp/contract @stoplight/prism-cli @octokit/openapi @octokit/graphql-schema graphql
    python tests/benchmarks/review_contract.py /tmp/contract

A small pull request is reviewed four times: found, unchanged, fixed, back; and with a line that GitHub does not take. Every
REST request goes to Prism, which answers with an error what the OpenAPI description does not allow (it is given the paths of
one pull request: all of them take it minutes to load); every GraphQL document is validated against the schema. The state
between the runs is kept by the fake of the tests. Needs Node and the test dependencies. GitLab publishes no description of
this part of its API in a package: there the tests are all there is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from git_app import App
from review_fakes import TOKEN, Answer, GitHub, served

_VALIDATE = """
const {buildSchema, parse, validate} = require("graphql");
const {readFileSync} = require("fs");
const file = "node_modules/@octokit/graphql-schema/schema.graphql";
const built = buildSchema(readFileSync(file, "utf8"), {assumeValidSDL: true});
const documents = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(documents.flatMap(text => validate(built, parse(text)).map(String))));
"""


class Contract(GitHub):
    """The fake, which first asks Prism what it makes of a request."""

    def __init__(self, prism: str) -> None:
        super().__init__()
        self.prism = prism
        self.asked: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.documents: set[str] = set()

    def answer(self, method: str, path: str, query: dict[str, list[str]], data: Any) -> Answer:
        if path == "/graphql":
            self.documents.add(data["query"])
            self.asked["graphql"] += 1
        else:
            self._ask(method, path, data)
        return super().answer(method, path, query, data)

    def _ask(self, method: str, path: str, data: Any) -> None:
        headers = {
            "Accept": "application/vnd.github+json, application/json;q=0.9",
            "Content-Type": "application/json",
            "Authorization": f"token {TOKEN}",
        }
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.prism + path, body, headers, method=method)
        name = f"{method} {path.replace(self.head, '{sha}')}"
        self.asked[name] += 1
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            said = error.read().decode()
            places = [item["location"][0] for item in json.loads(said).get("validation", ())]
            # Some of GitHub's own examples, which Prism answers with, are not as its description says.
            if not places or set(places) != {"response"}:
                self.wrong.append(f"{name}: {error.code} {said[:500]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="where npm installed the packages")
    parser.add_argument("--port", type=int, default=4010)
    arguments = parser.parse_args()
    modules = arguments.packages / "node_modules"
    description = arguments.packages / "pull-requests.json"
    description.write_text(json.dumps(_part(modules / "@octokit/openapi/generated/api.github.com.deref.json")))
    command = [str(modules / ".bin/prism"), "mock", "--errors", "--port", str(arguments.port), str(description)]
    prism = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{arguments.port}"
        _wait(address, prism)
        with served(Contract(address)) as fake, tempfile.TemporaryDirectory() as place:
            assert isinstance(fake, Contract)
            _runs(fake, Path(place))
            _refusal_is_seen(fake)
    finally:
        prism.terminate()
        prism.wait()
    done = subprocess.run(
        ["node", "-e", _VALIDATE],
        cwd=arguments.packages,
        input=json.dumps(sorted(fake.documents)),
        check=True,
        capture_output=True,
        text=True,
    )
    wrong = fake.wrong + json.loads(done.stdout)
    for name, times in sorted(fake.asked.items()):
        print(f"{times:4} {name}")
    print(f"{len(fake.documents)} different GraphQL documents")
    print("\n".join(wrong) or "all as the descriptions say")
    sys.exit(bool(wrong))


def _part(file: Path) -> dict[str, Any]:
    """What the description says of pull requests, their comments and commits."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    wanted = ("pulls/{pull_number}", "issues/{issue_number}/comments", "issues/comments", "commits/{ref}")
    starts = tuple(f"/repos/{{owner}}/{{repo}}/{part}" for part in wanted)
    paths = {path: item for path, item in found["paths"].items() if path.startswith(starts)}
    return {"openapi": found["openapi"], "info": found["info"], "paths": paths}


def _wait(address: str, prism: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if prism.poll() is not None:
            raise SystemExit("prism does not start")
        try:
            urllib.request.urlopen(address, timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("prism does not answer")


def _runs(fake: Contract, place: Path) -> None:
    app = App(place / "app")
    base = app.git("rev-parse", "HEAD").strip()
    text = (app.root / "app.py").read_text()
    changed = text.replace("SELECT * FROM a WHERE x = '", "SELECT 1 FROM a WHERE x = '").replace(
        "        abort(400)", "        pass"
    )
    for number, content in enumerate([changed, changed + "# more\n", text + "# fixed\n", changed + "# back\n"]):
        app.write("app.py", content)
        app.commit()
        _review(fake, app, base, place)
        print(f"run {number + 1}: {len(fake.bodies(resolved=False))} open, {len(fake.bodies(resolved=True))} resolved")
    app.write("more.py", changed)
    app.commit()
    fake.refused_paths = {"more.py"}
    _review(fake, app, base, place)


def _review(fake: Contract, app: App, base: str, place: Path) -> None:
    fake.head = app.git("rev-parse", "HEAD").strip()
    event = place / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": fake.head}}}))
    environment = {
        **os.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": TOKEN,
    }
    done = subprocess.run([sys.executable, "-m", "prodready", "review"], cwd=app.root, env=environment, check=False)
    if done.returncode > 1:
        raise SystemExit(f"review ended with {done.returncode}")


def _refusal_is_seen(fake: Contract) -> None:
    """A request that the description does not allow must be told, or the check proves nothing."""
    before = len(fake.wrong)
    fake._ask("POST", "/repos/o/r/pulls/7/reviews", {"event": "SHOUT", "comments": [{"line": "one"}]})
    if len(fake.wrong) != before + 1:
        raise SystemExit("prism takes what is wrong")
    fake.wrong.pop()


if __name__ == "__main__":
    main()

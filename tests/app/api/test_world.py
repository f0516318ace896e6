"""What page World asks: rules checked, linked, opened, saved, exchanged; each route against the library."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import state_table
from api.server import api
from api.world import rules_address
from playground.errors import RequestError
from playground.files import default_rules
from playground.worlds import (
    list_worlds,
    load_world,
    network_of_world,
    read_rules,
    rules_of_network,
    structure_of,
)
from tests.conftest import SECOND_RULES
from tests.support.program import HANGS

APP = Path(__file__).parents[3] / "app"
MANY = "inputs: " + ", ".join(f"X{index}" for index in range(30)) + "\nout = X1 AND X2\n"
LONG = "\n".join(
    ["inputs: A, B", *(f"# {index} {index**2:o} {index**9}" for index in range(900)), "out = A OR B"]
)


@pytest.fixture
def client() -> TestClient:
    return TestClient(api)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Return an empty working directory; all that comes along is the default world."""
    project = tmp_path / "project"
    (project / "data" / "worlds").mkdir(parents=True)
    shutil.copy(default_rules(), project / "data" / "worlds")
    monkeypatch.setattr("playground.files.project_root", lambda: project)
    (tmp_path / "place").mkdir()
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def texts(answer) -> str:
    return " ".join(each["text"] for each in answer.json()["faults"])


def packed(text: str) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


def test_rules_without_faults_are_shown_as_their_world(client: TestClient, default_world):
    answer = client.get("world", params={"rules": default_world.text}).json()
    assert (answer["faults"], answer["said"]) == ([], "No faults.")
    found = structure_of(default_world)
    shown = answer["world"]["structure"]
    assert [each["name"] for each in shown["balances"]] == list(default_world.answers)
    assert [each["share"] for each in shown["balances"][:4]] == [each.ones for each in found.balances[:4]]
    assert ["5", "inputs"] in shown["facts"]
    assert ["32", "states"] in shown["facts"]
    assert [" → ".join(found.chain), "is the deepest chain of outputs"] in shown["facts"]
    assert shown["svg"].startswith("<svg")
    table = answer["world"]["table"]
    assert [each["truth"] for each in table["states"]] == default_world.truth_table.astype(str).tolist()
    assert table == json.loads(
        json.dumps(
            state_table.state_data(default_world, (), board=None, editable=False, caption="The truth table")
        )
    )


def test_a_fault_has_its_place_and_its_way_out(client: TestClient):
    answer = client.get("world", params={"rules": "# é\nout = A and B\n"}).json()
    [fault] = answer["faults"]
    assert fault["place"] == {"line": 2, "column": 9, "length": 3}
    assert "Operators are written in capitals: AND." in fault["text"]
    assert answer["said"] == "1 fault."
    assert answer["world"] is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MANY, "2 to 10 inputs, got 30 inputs"),
        ("__class__ = A AND B", "a name begins with a letter"),
        ("out = A AND B\nout = A", "this name is already defined"),
        ("", "1 to 10 rules"),
        ("café = A AND B", "letters A to Z"),
    ],
)
def test_what_cannot_be_a_world_is_explained(client: TestClient, text: str, expected: str):
    answer = client.get("world", params={"rules": text})
    assert answer.status_code == 200
    assert expected.lower() in texts(answer).lower()


def test_files_are_listed_with_what_they_say_and_the_ones_with_this_text_are_named(client: TestClient, place):
    folder = place / "data" / "worlds"
    folder.mkdir(parents=True)
    (folder / "mine.rules").write_text(SECOND_RULES)
    (folder / "same.rules").write_text(SECOND_RULES)
    (folder / "long.rules").write_text(f"# {'very ' * 30}long\n{SECOND_RULES}")
    (folder / "broken.rules").write_bytes(b"\xff")
    answer = client.get("world", params={"rules": SECOND_RULES}).json()
    assert [each["name"] for each in answer["files"]] == [path.stem for path in list_worlds()]
    assert answer["same"] == ["mine", "same"]
    said = {each["name"]: each["said"] for each in answer["files"]}
    assert said["broken"] == "cannot be read"
    assert len(said["long"]) == 70
    assert said["long"].endswith("…")
    # The default world is never replaced, so its name is no name to save under.
    assert {each["name"]: each["saved_as"] for each in answer["files"]} == {
        **{path.stem: path.stem for path in list_worlds()},
        "default": "",
    }


def test_a_file_is_opened_by_its_name(client: TestClient, place):
    assert client.get("world/file", params={"name": "default"}).json() == {
        "text": read_rules(default_rules()),
        "name": "",
    }
    refused = client.get("world/file", params={"name": "../secret"})
    assert refused.status_code == 422
    assert "there is no such world: expected one of default" in texts(refused)


def test_without_rules_an_address_stands_for_the_default_world(client: TestClient):
    assert client.get("world/linked").json()["text"] == read_rules(default_rules())


@pytest.mark.parametrize("text", [SECOND_RULES, "# ü 🌍 & = + % ; #\nout = A AND B", "", "\ttab = A OR B  "])
def test_any_text_comes_back_from_its_link(client: TestClient, text: str):
    for query in ({"rules": text}, {"rulesz": packed(text)}):
        assert rules_address.read(query) == text
        assert client.get("world/linked", params=query).json()["text"] == text
    assert client.get("world/linked", params={"rules": "a\r\nb\rc"}).json()["text"] == "a\nb\nc"


WRITES = """
const { plainQuery, packedQuery } = await import(process.argv[1]);
const texts = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(await Promise.all(texts.map(async (text) => [plainQuery(text), await packedQuery(text)]))));
"""


def test_what_the_client_writes_into_an_address_is_what_the_server_reads(client: TestClient):
    long = "\n".join(
        ["inputs: A, B", *(f"out{index} = A OR B" for index in range(9)), "# " + "long " * 1_900]
    )
    given = [SECOND_RULES, "# ü 🌍 & = + % ; #\nout = A AND B", "", "\ttab = A OR B  ", long, LONG]
    done = subprocess.run(
        [
            Path(sys.executable).with_name("node"),
            "--input-type=module",
            "-e",
            WRITES,
            (APP / "app_pages" / "world" / "rules_address.js").as_uri(),
        ],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
        check=True,
    )
    found = json.loads(done.stdout)
    for text, (plain, compressed) in zip(given, found, strict=True):
        for query in (plain, compressed):
            if query:
                assert client.get(f"world/linked?{query}").json()["text"] == text
    # What people can read stays readable; long texts are compressed, and what is too long even then has no link.
    assert [plain is not None for plain, _ in found] == [True, True, True, True, False, False]
    assert [compressed != "" for _, compressed in found] == [True, True, True, True, True, False]
    assert len(long) > 9_000
    assert found[4][1].startswith("rulesz=")
    assert len(found[4][1]) < 6_000


@pytest.mark.parametrize("wrong", ["", "eJw", "not base64!", "AAAA", "half"])
def test_a_broken_link_is_explained(client: TestClient, wrong: str):
    if wrong == "half":
        wrong = packed(LONG[:4_000])[:2_000]
    with pytest.raises(RequestError, match="copy all of it"):
        rules_address.read({"rulesz": wrong})
    answer = client.get("world/linked", params={"rulesz": wrong})
    assert answer.status_code == 422
    assert "copy all of it" in texts(answer)


def test_what_unpacks_to_far_more_than_rules_is_refused(client: TestClient):
    bomb = base64.urlsafe_b64encode(zlib.compress(b"#" * 50_000_000)).decode()
    answer = client.get("world/linked", params={"rulesz": bomb})
    assert answer.status_code == 422
    assert "at most 20,000 characters" in texts(answer)


def test_rules_are_saved_and_others_replaced_only_if_that_is_said(client: TestClient, place):
    save = {"name": "mine", "rules": SECOND_RULES}
    assert client.post("world/save", params=save).json() == {"path": "data/worlds/mine.rules", "name": "mine"}
    assert Path("data/worlds/mine.rules").read_text() == SECOND_RULES
    # The same rules once more are no others.
    assert client.post("world/save", params=save).status_code == 200
    other = {"name": "mine", "rules": "out = A AND B"}
    taken = client.post("world/save", params=other)
    assert taken.status_code == 409
    assert "a file of this name exists already" in texts(taken)
    assert Path("data/worlds/mine.rules").read_text() == SECOND_RULES
    assert client.post("world/save", params=other | {"replace": "true"}).status_code == 200
    assert Path("data/worlds/mine.rules").read_text() == "out = A AND B"
    assert client.get("world/save", params=other).status_code == 405


@pytest.mark.parametrize(
    ("name", "rules", "said"),
    [
        ("", SECOND_RULES, "give the world a name first"),
        ("../mine", SECOND_RULES, "invalid name"),
        ("default", SECOND_RULES, "not that of the default world"),
        ("mine", "out = A AND", "these rules still have errors"),
        ("mine", SECOND_RULES + "#" * 20_000, "these rules still have errors"),
    ],
)
def test_what_cannot_be_saved_is_explained(client: TestClient, place, name: str, rules: str, said: str):
    answer = client.post(
        "world/save",
        data={"name": name, "rules": rules},
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 422
    assert said in texts(answer)
    assert list_worlds() == [default_rules()]


def test_a_name_that_is_taken_does_not_hide_faults(client: TestClient, place):
    client.post("world/save", params={"name": "mine", "rules": SECOND_RULES})
    answer = client.post("world/save", params={"name": "mine", "rules": "out = A AND"})
    assert answer.status_code == 422


def test_a_duplicate_has_a_name_of_its_own(client: TestClient, place):
    text = read_rules(default_rules())
    first = client.post("world/duplicate", params={"name": "default", "rules": text}).json()
    second = client.post("world/duplicate", params={"name": first["name"], "rules": text}).json()
    assert [path.stem for path in list_worlds()] == ["default", "default-2", "default-3"]
    assert load_world(Path(second["path"])) == load_world(default_rules())
    unnamed = client.post("world/duplicate", params={"name": "", "rules": SECOND_RULES}).json()
    assert unnamed["name"] == "world-2"
    refused = client.post("world/duplicate", params={"name": "", "rules": "out = A AND"})
    assert refused.status_code == 422


def test_an_uploaded_file_is_read_and_not_saved(client: TestClient, place, second_world):
    def upload(name: str, content: bytes):
        return client.post("world/upload", params={"name": name}, content=content)

    windows = upload("my own.rules", b"\xef\xbb\xbfout = A AND B\r\n").json()
    assert windows == {"text": "out = A AND B\n", "name": "my own"}
    latin = upload("latin.rules", "# é".encode("latin-1"))
    assert latin.status_code == 422
    assert "latin.rules (not UTF-8 text)" in texts(latin)
    assert "more than 1,000,000 bytes" in texts(upload("huge.rules", b"#" * 3_000_000))
    network = upload("mine.bnet", network_of_world(second_world).encode()).json()
    assert network == {"text": rules_of_network(network_of_world(second_world)), "name": "mine"}
    assert upload("wrong.bnet", b"targets, factors\nlow, high +").status_code == 422
    assert list_worlds() == [default_rules()]


def test_a_world_is_exported_as_a_network(client: TestClient, second_world):
    answer = client.get("world/network", params={"rules": SECOND_RULES})
    assert answer.json()["text"] == network_of_world(second_world)
    assert client.get("world/network", params={"rules": "out = A AND"}).status_code == 422

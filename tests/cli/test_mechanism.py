"""The command `mechanism`."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.support.program import run_program

SHORT = {"routes", "tokens", "attention", "lens", "attribution"}


@pytest.fixture(scope="module")
def place(workplace, tmp_path_factory):
    """Return a working directory whose cache is its own."""
    folder = tmp_path_factory.mktemp("mechanism")
    shutil.copytree(workplace / "models", folder / "models")
    return folder


@pytest.mark.slow
def test_the_verdict_is_told_in_words_and_kept(place):
    result = run_program("mechanism", "--examples", "1", "--report", "report.html", cwd=place)
    assert result.returncode == 0, result.stderr
    report = (place / "report.html").read_text(encoding="utf-8")
    assert "newD is" in report
    assert "Logit lens" in report
    assert "newD is" in result.stdout
    assert "sum2 is" in result.stdout
    assert "holds on" in result.stdout
    assert "Not measured: patching" in result.stdout
    assert list((place / "cache").rglob("routes-*.safetensors"))


@pytest.mark.slow
def test_json_gives_every_figure_of_the_methods_that_are_named(place):
    paths = ("--path", "L0.attn>L0.mlp@>newD")
    arguments = (
        "mechanism",
        "--json",
        *paths,
        *(word for name in sorted(SHORT) for word in ("--method", name)),
    )
    result = run_program(*arguments, cwd=place)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document["methods"]) >= SHORT
    assert document["left_out"]["interchange"] == "not measured"
    (newd, _) = document["route_summaries"]
    assert newd["answer"] == "newD"
    ways = document["methods"]["routes"]["answers"]["newD"]["derivations"]
    assert [way["text"] for way in ways] == ["A OR newB", "A OR NOT D"]
    assert newd["read"] == pytest.approx(ways[0]["follows"]["share"])
    for claim in document["claims"]:
        assert claim["of"] - claim["holds"] == len(claim["counterexamples"])
    (path,) = document["paths"]
    assert (path["sender"], path["receiver"], path["positions"]) == ("L0.attn", "L0.mlp", [">newD"])
    assert isinstance(path["effect"]["newD"], float)
    tokens = document["methods"]["tokens"]
    assert np.shape(tokens["variables"][0]["accuracy"]) == (len(tokens["sites"]), len(tokens["tokens"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--path", "L0.attn>L0.mlp@>newD"), set()),
        (("--path", "L0.attn>L0.mlp", "--path", "L0H1>L1.mlp", "--method", "lens"), {"lens"}),
        (("--subspace", "A:newD:L0.resid@A"), set()),
        (("--method", "attention"), {"attention"}),
        (("--method", "attention", "--method", "attribution"), {"attention", "attribution"}),
    ],
)
def test_json_measures_what_is_named_and_the_verdict_alone(place, tmp_path, arguments, named):
    """Nothing else is measured, and nothing else is told although it is kept from another time."""
    verdict = {"routes", "tokens"}
    shutil.copytree(place / "models", tmp_path / "models")
    result = run_program("mechanism", "--json", *arguments, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document["methods"]) == verdict | named
    measured = {path.name.split("-")[0] for path in (tmp_path / "cache").rglob("*.safetensors")}
    assert measured == verdict | named
    assert len(document["paths"]) == arguments.count("--path")
    assert len(document["subspaces"]) == arguments.count("--subspace")
    assert document["verdict"]
    assert set(document["left_out"].values()) == {"not measured"}
    if not named:
        assert run_program("mechanism", "--json", "--method", "lens", cwd=tmp_path).returncode == 0
        again = json.loads(run_program("mechanism", "--json", *arguments, cwd=tmp_path).stdout)
        assert set(again["methods"]) == verdict


@pytest.mark.slow
def test_an_intervention_is_in_force(place):
    """With the MLPs silenced the model cannot write what it did."""
    texts = []
    for on in ((), ("--on", "zero:L0.mlp;zero:L1.mlp")):
        result = run_program("mechanism", "--json", "--method", "routes", *on, cwd=place)
        assert result.returncode == 0, result.stderr
        document = json.loads(result.stdout)
        texts.append(document["methods"]["routes"]["answers"]["newD"]["written"])
        assert document["interventions"] == (["zero:L0.mlp", "zero:L1.mlp"] if on else [])
    assert texts[0] != texts[1]


def test_a_world_without_counts_and_with_other_names(place):
    result = run_program("mechanism", "--name", "second", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "second is" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "magic"), "routes, tokens"),
        (("--model", "transformer"), "gpt2"),
        (("--on", "zero:L9"), "L0"),
        (("--model", "rnn", "--method", "attention"), ""),
        (("--report", "report.pdf"), "FILE.html"),
        (("--path", "L0H1"), "SENDER>RECEIVER"),
        (("--subspace", "newB:newD:L0.resid"), "VARIABLE:ANSWER:SITE@TOKEN"),
        (("--subspace", "NOT F:newD:L0.resid@newB"), "NOT D"),
        (("--path", "L3.mlp>L0H1"), "L0H1"),
    ],
)
def test_a_wrong_request_is_explained(place, arguments, message):
    result = run_program("mechanism", *arguments, cwd=place)
    assert "Traceback" not in result.stderr
    if message:
        assert (result.returncode, result.stdout) == (2, "")
        assert message in " ".join(result.stderr.split())
    else:
        assert result.returncode == 0, "what a model lacks is left out"

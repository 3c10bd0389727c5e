"""The folder of a demo keeps its secrets to its owner, and is nobody else's."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from workestra.project import env
from workestra.project.cli.demo_home import open_home
from workestra.project.cli.problem import Problem


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    with open_home(folder=tmp_path / "var") as first:
        kept = dict(first.secrets)
    with open_home(folder=tmp_path / "var") as second:
        assert second.secrets == kept
    assert stat.S_IMODE((tmp_path / "var" / "demo.env").stat().st_mode) == 0o600
    assert env.parse_token_keys(kept["WORKESTRA_TOKEN_KEYS"])
    assert len(kept["WORKESTRA_SECRET_KEY"]) >= 50


def test_two_folders_have_different_secrets(tmp_path: Path) -> None:
    with open_home(folder=tmp_path / "one") as one, open_home(folder=tmp_path / "two") as two:
        assert one.password != two.password
        assert one.secrets["WORKESTRA_TOKEN_KEYS"] != two.secrets["WORKESTRA_TOKEN_KEYS"]


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with open_home(folder=tmp_path), pytest.raises(Problem, match="running"):
        open_home(folder=tmp_path)


def test_the_home_of_an_installation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(Problem, match="--home"):
        open_home(folder=tmp_path)
    assert not (tmp_path / "demo.env").exists()


def test_a_place_where_no_folder_can_be_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "var", Path("/proc/workestra")):
        with pytest.raises(Problem, match="--home"):
            open_home(folder=place)


def test_damaged_secrets_are_told_of_and_not_made_anew(tmp_path: Path) -> None:
    (tmp_path / "demo.env").write_text("WORKESTRA_SECRET_KEY=\n")
    with pytest.raises(Problem, match="is damaged"):
        open_home(folder=tmp_path)
    assert (tmp_path / "demo.env").read_text() == "WORKESTRA_SECRET_KEY=\n"

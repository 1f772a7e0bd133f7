from __future__ import annotations

import pytest

from mmcloudseg.benchmark.options import check_methods, option_arguments, student_options
from mmcloudseg.benchmark.suite import SuiteError, load_suite


def test_reads_a_suite(suite, root):
    assert (suite.name, suite.title, suite.seeds) == ("trial", "A trial", (0, 4))
    student = suite.methods["student"]
    assert student.config == root / "configs/cloudseg_mini.py"
    assert (student.title, student.teacher, student.listed) == ("Student", "teacher", True)
    assert suite.methods["sar"].options == {"model.backbone.modalities": ["sar"]}
    assert [method.key for method in suite.listed] == ["student", "sar"]
    assert suite.robustness is None
    assert check_methods(suite, {"train_cfg.max_iters": 20}) == []


def test_robustness(write_suite, suite_text):
    suite = load_suite(
        write_suite(suite_text + "robustness = dict(covers=[0, 50], kinds=['thick'])")
    )
    assert suite.robustness == dict(covers=[0, 50], kinds=["thick"])


def test_all_problems_of_the_layout_at_once(write_suite):
    text = """
title = "A trial"
seeds = [1, 1]
colour = "red"
reference = "c"
input_shape = (160, 160)
robustness = dict(covers=[0])
methods = dict(
    a=dict(title="A", config="x.py", teacher="b", depth=3),
    b=dict(title="A", config="y.py", teacher="a"),
    d=dict(title="D"),
    e=dict(title="E", config="z.py", teacher="f"),
)
"""
    with pytest.raises(SuiteError) as caught:
        load_suite(write_suite(text))
    message = str(caught.value)
    for part in (
        "colour: is unknown",
        "data: is missing",
        "seeds: expected different whole numbers from 0, found [1, 1]",
        "methods.a.depth: is unknown",
        "methods.d: expected dict(title=…, config='….py')",
        "reference: 'c' is not one of the methods",
        "methods.a.teacher: 'a' teaches itself",
        "methods.e.teacher: 'f' is not one of the methods",
        "2 methods have the title 'A'",
        "robustness: expected dict(covers=[…], kinds=[…])",
        "input_shape: expected (bands, height, width)",
    ):
        assert part in message, part


def test_all_problems_of_the_configs_at_once(write_suite):
    text = """
title, data, seeds = "A trial", "mini", [0]
methods = dict(
    a=dict(title="A", config="nowhere.py"),
    b=dict(
        title="B",
        config="cloudseg_none_mini.py",
        options={"model.backbone.strem": "mit-b1", "model.neck.depth": 3, "train_cfg": "a b"},
    ),
    c=dict(title="C", config="cloudseg_none_mini.py", teacher="b"),
)
"""
    problems = check_methods(
        load_suite(write_suite(text)), {"optim_wrappers.lr": 3, "train_cfg.max_iter": 3}
    )
    assert len(problems) == 7
    for part in (
        "nowhere.py' does not exist",
        "methods.b: option 'model.backbone.strem' does not apply to 'cloudseg_none_mini.py'",
        "option 'model.neck.depth' does not apply",
        "option 'optim_wrappers.lr' does not apply",
        "option 'train_cfg.max_iter' does not apply",
        "option 'train_cfg' has the value 'a b', which cannot be written",
        "methods.c: has a teacher, but 'cloudseg_none_mini.py' trains without one",
    ):
        assert any(part in problem for problem in problems), part


def test_missing_suite(tmp_path):
    with pytest.raises(SuiteError, match=r"does not exist; .* configs/suites/"):
        load_suite(tmp_path / "none.py")


def test_some_methods_bring_their_teachers(suite):
    chosen = suite.selected(["student"])
    assert list(chosen.methods) == ["student", "teacher"]
    assert [method.key for method in chosen.listed] == ["student"]
    assert chosen.reference is None
    with pytest.raises(SuiteError, match=r"no method robot; expected some of student, teacher"):
        suite.selected(["robot"])


def test_options_for_a_command_line():
    options = {"a.b": dict(c=[1, "x"]), "d": None, "e": (0.1, True)}
    assert option_arguments(options) == ["a.b.c=[1,x]", "d=None", "e=(0.1,True)"]


def test_a_students_options_are_the_whole_models_in_a_test():
    options = {"model.architecture": {"backbone.x": 1}, "model.teacher.y": 2, "train_cfg.z": 3}
    assert student_options(options) == {"model.backbone.x": 1, "train_cfg.z": 3}


def test_suites_that_ship_can_be_run(root):
    paths = sorted((root / "configs/suites").glob("*.py"))
    assert {path.stem for path in paths} >= {"components_mini", "clouds_mini-whu"}
    for path in paths:
        assert check_methods(load_suite(path), {}) == [], path

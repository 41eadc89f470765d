"""Mutants of solutions: each operator makes its mistake, and what becomes of them."""

import argparse
import json
import multiprocessing
import textwrap

import pytest

from chula_rl.errors import AssignmentError
from chula_rl.grading.course import Course
from chula_rl.grading.mutants import command, report, runs
from chula_rl.grading.mutants.make import Mutant, make, plain
from chula_rl.grading.mutants.trial import BROKEN, KILLED, SURVIVED, Exercise, judge


def cell(body, arguments="x: Tensor", returns="Tensor"):
    body = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return (
        f"def f({arguments}) -> {returns}:\n"
        '    """What it does."""\n'
        f"    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
    )


def changes(body, *args, **kwargs):
    """The changed lines of all mutants; those that take nothing away, without sign."""
    made = [m.change for m in make(cell(body, *args, **kwargs), "f")]
    return {change for c in made for change in (c, c.rpartition("\n+")[2])}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("return -x", "return x"),
        ("return x + 1", "return x - 1"),
        ("return x - 1", "return 1 - x"),
        ("return x / 2", "return 2 / x"),
        ("return 2 * x", "return x"),
        ("return x ** 2", "return x"),
        ("return 0.5 * x", "return 1.0 * x"),
        ("return x > 1", "return x >= 1"),
        ("return x if x > 1 else -x", "return x"),
        ("return x.any() and x.all()", "return x.any() or x.all()"),
        ("return x[1:]", "return x[1 + 1:]"),
        ("return x[-1]", "return x[0]"),
        ("return x[-1]", "return x"),
        ("return x.mean()", "return x.sum()"),
        ("return x.sum(dim=-1)", "return x.sum(dim=0)"),
        ("return x.sum(dim=-1)", "return x.sum()"),
        ("return x.sum(dim=-1)", "return x.sum(dim=-1, keepdim=True)"),
        ("return x.exp()", "return (2 * x).exp()"),
        ("return x.exp()", "return x.exp_()"),
        ("return x.detach()", "return x"),
        ("return 2 * x", "return 2 * x.detach()"),
        ("return x.clone()", "return x"),
        ("return x + 1", "return x.add_(1)"),
        ("return x + 1", "return x.unsqueeze(-1) + 1"),
        ("return torch.minimum(x, y)", "return torch.maximum(x, y)"),
        ("return torch.minimum(x, y)", "return x"),
        ("return torch.where(c, x, y)", "return torch.where(c, y, x)"),
        ("return g(x, 1)", "return g(1, x)"),
        ("return torch.randn(3, generator=g)", "return torch.randn(3)"),
        ("return sum([a for a in x])", "return sum([a for a in list(x)[:1]])"),
        ("return x.square()", "return -x.square()"),
        ("return x.square()", "return x.square().float()"),
        ("return x.square()", "return x.square().squeeze()"),
        ("return (x, y)", "return (y, x)"),
        ("return (x, y)", "return (x,)"),
    ],
)
def test_expressions(line, wrong):
    assert wrong in changes(line)


@pytest.mark.parametrize(
    ("arguments", "line", "wrong"),
    [
        ("gamma: float", "return 2 * gamma", "return 2 * 1.0"),
        ("tau: float", "return 2 * tau", "return 2 * (1 - tau)"),
        ("n: int", "return n", "return n - 1"),
        ("config: Config", "return config.gamma", "return 1.0"),
        ("value: Tensor, next_value: Tensor", "return value", "return next_value"),
        ("obs: Tensor, other: Tensor", "return obs", "return other"),
        ("terminated: T, truncated: T", "return terminated", "return truncated"),
        (
            "terminated: T, truncated: T",
            "return terminated",
            "return terminated | truncated",
        ),
        (
            "agent: Agent",
            "return agent.actor(agent.target_actor(0))",
            "return agent.target_actor(agent.target_actor(0))",
        ),
    ],
)
def test_names(arguments, line, wrong):
    assert wrong in changes(line, arguments)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("o.zero_grad()\no.step()", "-o.zero_grad()"),
        ("o.zero_grad()\no.step()", "+o.step()\n-o.step()"),
        ("o.zero_grad()\no.step()", "+o.step()"),
        ("a = g()\no.zero_grad()\nb = g()\no.step()", "-o.zero_grad()\n+o.zero_grad()"),
        ("n = 0\nn += 1", "-n += 1\n+n -= 1"),
        ("n = 0\nn += 1", "-n += 1\n+n = 1"),
        ("if c:\n    g()", "-if c:\n-    g()\n+g()"),
        ("if c:\n    g()", "-if c:\n+if not c:"),
        ("for a in b:\n    g(a)", "+break"),
        ("for a in b:\n    g(a)", "-for a in b:\n+for a in list(b)[1:]:"),
        ("for a in b:\n    g(a)\nh()", "-h()\n+h()"),
        ("y = g(x)", "-y = g(x)\n+with torch.no_grad():\n+y = g(x)"),
        ("with torch.no_grad():\n    y = x", "-with torch.no_grad():\n-y = x\n+y = x"),
        ("y = x\nx = 1", "-y = x\nx = 1\n+y = x".replace("\nx = 1", "")),
        ("self.n = []", "-self.n = []\n+type(self).n = []"),
    ],
)
def test_statements(body, wrong):
    wanted = "\n".join(line[0] + line[1:].strip() for line in wrong.split("\n"))
    found = changes(body, returns="None")
    assert any(wanted in change for change in found), found


def test_independent_lines_are_not_swapped():
    assert not [
        m for m in make(cell("a = g(1)\nb = g(2)"), "f") if m.operator == "order"
    ]


def test_what_nobody_grades_is_left_alone():
    body = """
    check_same_shape(x=x, y=y)
    if x.ndim != 1:
        raise ValueError(f"{x.ndim}; expected {1 + 1}")
    norm = x.norm()
    return {"norm": norm}
    """
    found = make(cell(body, returns="dict[str, float]"), "f")
    assert all("norm = x.norm()" in m.change for m in found)
    quantities = "values = x.mean(), x.sum()\nreturn dict(zip(NAMES, values))"
    assert make(cell(quantities, returns="dict[str, float]"), "f") == []


def test_a_guard_may_not_refuse_what_is_right():
    body = "if n < 1:\n    raise ValueError(n)\nreturn n"
    assert "-if n < 1:\n+if n <= 1:" in changes(body, "n: int")


def test_only_methods_with_markers_change():
    text = (
        "class Memory:\n"
        "    def size(self) -> int:\n"
        "        return self.n + 1\n\n"
        "    def add(self, n: int) -> None:\n"
        "        ### BEGIN SOLUTION\n"
        "        self.n = self.n + n\n"
        "        ### END SOLUTION\n"
    )
    found = make(text, "Memory")
    assert {"-self.n = self.n + n\n+type(self).n = self.n + n"} <= {
        m.change for m in found
    }
    assert all("return self.n + 1" in m.source for m in found)


def test_mutants_differ_from_the_solution_and_from_one_another():
    text = cell("y = x + 0\nz = y * y\nreturn z.sum(dim=-1)")
    sources = [m.source for m in make(text, "f")]
    assert len(sources) == len({*sources, plain(text)}) - 1


DOUBLE = cell("return x + x", "x: object", "object")
WEAK = "assert f(0) == 0"
STRONG = "assert f(0) == 0 and f(3) == 6 and f(-1) == -2"
CLASS = """
class Memory:
    def __init__(self):
        self.items = []

    def add(self, x):
        self.items.append(x)

    def first(self):
        return self.items[0]
"""


def exercise(test, text=DOUBLE, function="f"):
    return Exercise(function, (("setup", "import math"), (function, plain(text))), test)


def survivors(test):
    given = exercise(test)
    tried = [(m, judge(given, m.source)) for m in make(DOUBLE, "f")]
    assert judge(given, given.solution).outcome == SURVIVED
    return {m.change.rpartition("\n+")[2] for m, v in tried if v.outcome == SURVIVED}


def test_a_weak_test_has_survivors_and_a_strong_one_has_none():
    assert survivors(WEAK) == {
        "return -(x + x)",
        "return x - x",
        "return x * x",
        "return x",
    }
    assert survivors(STRONG) == set()


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("def f(x):\n    return x + y", BROKEN),
        ("def f(x:\n    return x", BROKEN),
        ("g = 1", BROKEN),
        ("def f(x):\n    return 2 * x if x == 0 else y", KILLED),
        ("def f(x):\n    return x", KILLED),
        ("def f(x):\n    exit()", BROKEN),
        ("def f(x):\n    return 2 * x", SURVIVED),
    ],
)
def test_what_always_stops_is_broken(source, outcome):
    assert judge(exercise(STRONG), source).outcome == outcome


def test_an_error_after_the_first_call_is_no_broken_mutant():
    source = "def f(x):\n    return {0: 0}[x]"
    assert judge(exercise(STRONG), source).outcome == KILLED


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("items[0]", "item[0]", BROKEN),
        ("self.items = []", "pass", BROKEN),
        ("items[0]", "items[-1]", KILLED),
        ("items[0]", "items[1]", KILLED),
    ],
)
def test_a_class_is_broken_when_one_method_is(old, new, outcome):
    test = (
        "m = Memory()\nm.add(1)\nm.add(2)\nassert m.first() == 1\n"
        "m = Memory()\nm.add(3)\nassert m.first() == 3"
    )
    given = exercise(test, CLASS, "Memory")
    assert judge(given, CLASS).outcome == SURVIVED
    assert judge(given, CLASS.replace(old, new)).outcome == outcome


def test_endless_and_dying_mutants_are_killed_and_the_others_go_on():
    given = exercise(STRONG)
    sources = {
        "endless": "def f(x):\n    while True:\n        pass",
        "dying": "import os\ndef f(x):\n    os._exit(3)",
        "right": "def f(x):\n    return 2 * x",
    }
    mutants = [Mutant(name, source, "", "") for name, source in sources.items()]
    (_, right), *_ = runs.run(given, mutants[2:], 1, 60)  # now the machine is warm
    seconds = max(2.0, 20 * right.seconds)
    found = {m.operator: v for m, v in runs.run(given, mutants, 2, seconds)}
    assert found["endless"] == (KILLED, "it takes too long.", 0)
    assert found["dying"] == (KILLED, "it ends the process.", 0)
    assert found["right"].outcome == SURVIVED


def test_leaving_ends_the_processes():
    endless = Mutant("", "while True:\n    pass", "", "")
    quick = Mutant("", "def f(x):\n    return 2 * x", "", "")
    before = set(multiprocessing.active_children())
    running = runs.run(exercise(STRONG), [endless, quick], 2, 60)
    next(running)
    running.close()
    assert set(multiprocessing.active_children()) == before


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one assignment, `small`, of one function."""
    (tmp_path / "assignments" / "mistakes" / "small").mkdir(parents=True)
    found = Course(tmp_path)
    monkeypatch.setattr(Course, "find", lambda: found)
    set_test(monkeypatch, STRONG)
    return found


def set_test(monkeypatch, test):
    exercises = [(exercise(test), DOUBLE)]
    monkeypatch.setattr(command, "exercises", lambda *_: exercises)


def equivalents(course, text):
    path = course.assignments / "mistakes" / "small" / "equivalent.toml"
    path.write_text(text)


def run(path=None):
    return command.run(argparse.Namespace(name=["small"], jobs=2, report=path))


def test_a_run_goes_on_where_it_was(course, monkeypatch):
    tried = []

    def count(exercise_, mutants, jobs, seconds):
        for mutant in mutants:
            tried.append(mutant)
            yield mutant, judge(exercise_, mutant.source)

    monkeypatch.setattr(runs, "run", count)
    assert run() == 0
    number = len(make(DOUBLE, "f"))
    assert len(tried) == number + 1  # and the reference
    results = course.build / "mutants" / "small.jsonl"
    lines = results.read_text().split("\n")
    results.write_text("\n".join(lines[:-1])[:-20])  # one is lost, and one is torn
    tried.clear()
    assert run() == 0
    assert len(tried) == 3
    assert all(json.loads(line) for line in results.read_text().split("\n")[-2:])
    tried.clear()
    assert run() == 0
    assert tried == []
    set_test(monkeypatch, WEAK)
    assert run() == 1
    assert len(tried) == number + 1


def test_report_and_exit_status(course, monkeypatch, capsys, tmp_path):
    set_test(monkeypatch, WEAK)
    path = tmp_path / "pages" / "report.md"
    assert run(path) == 1
    text = path.read_text()
    assert "| `f` | 8 | 3 | 1 | 0 | 4 | 20.0% |" in text
    assert "-    return x + x\n+    return x * x" in text
    assert "4 survivors, score 20.0%" in capsys.readouterr().out


def test_a_reference_that_fails_is_an_error(course, monkeypatch):
    set_test(monkeypatch, "assert f(1) == 1")
    with pytest.raises(AssignmentError, match="the reference fails its own tests"):
        run()


EQUIVALENT = """
[[equivalent]]
function = "f"
reason = "Nobody calls it with anything but 0."
changes = ['''
-return x + x
+return x * x
''', '''
-    return x + x
+    return x - x
''']

[[equivalent]]
function = "f"
reason = "There is no negative zero among integers."
operator = "value"
within = "-(x + x)"
"""


def test_equivalent_survivors_count_for_nothing(course, monkeypatch, tmp_path):
    set_test(monkeypatch, WEAK)
    equivalents(course, EQUIVALENT)
    path = tmp_path / "report.md"
    assert run(path) == 1
    assert "| `f` | 8 | 3 | 1 | 3 | 1 | 50.0% |" in path.read_text()
    assert "Nobody calls it with anything but 0." in path.read_text()


def test_an_entry_without_survivor_is_an_error(course):
    equivalents(course, EQUIVALENT)
    with pytest.raises(AssignmentError) as caught:
        run()
    for part in ("match no survivor", "f: -return x + x\n+return x * x", "f: value"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "function = 'f'\noperator = 'value'",
        "function = 'f'\nreason = 'r'",
        "function = 'f'\nreason = 'r'\noperator = 'value'\nchanges = ['+a']",
        "function = 'f'\nreason = 'r'\noperator = 'value'\nlines = 3",
        "function = 'f'\nreason = 'r'\nwithin = 'x'",
    ],
)
def test_an_entry_of_another_form_is_an_error(tmp_path, entry):
    path = tmp_path / "equivalent.toml"
    path.write_text(f"[[equivalent]]\n{entry}\n")
    with pytest.raises(AssignmentError, match="expected function, reason"):
        report.read_equivalents(path)


def test_exercises_of_the_course():
    found = command.exercises(Course.find(), "reinforce")
    functions = [exercise_.function for exercise_, _ in found]
    assert functions[0] == "rewards_to_go"
    assert functions[-1] == "reinforce_update"
    assert all(len(make(text, e.function)) > 30 for e, text in found)
    assert "rewards_to_go" in dict(found[-1][0].cells)
    assert "test-rewards_to_go" not in dict(found[-1][0].cells)

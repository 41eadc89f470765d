"""The form of the catalogue of mistakes: functions, classes, decorators."""

import pytest

from chula_rl.errors import AssignmentError
from chula_rl.grading import mistakes


@pytest.fixture
def load(tmp_path):
    def load(text, name="Buffer"):
        (tmp_path / "some").mkdir()
        (tmp_path / "some" / f"{name}.py").write_text(text)
        return mistakes.load("some", tmp_path)

    return load


def test_a_class_is_a_solution_like_a_function(load):
    (found,) = load(
        "import torch\n\n\nclass wrong_empty(list):\n"
        '    """It holds nothing.\n\n    Message: nothing\n    """\n\n'
        "    size = 0\n\n    def add(self, step):\n        self.size += 1\n"
    )
    assert (found.function, found.name, found.correct) == ("Buffer", "empty", False)
    assert (found.misconception, found.message) == ("It holds nothing.", "nothing")
    assert found.source == (
        "class Buffer(list):\n"
        "    size = 0\n\n    def add(self, step):\n        self.size += 1"
    )


def test_decorators_are_kept(load):
    first, second = load(
        '@cache\ndef correct_one(n):\n    """Cached."""\n    return n\n\n\n'
        'class correct_two:\n    """A property."""\n\n'
        "    @property\n    def add(self):\n        return 1\n",
        "add",
    )
    assert first.source == "@cache\ndef add(n):\n    return n"
    assert second.source.startswith("class add:\n    @property\n    def add(self):")


@pytest.mark.parametrize(
    "text",
    [
        "class right:\n    '''Style.'''\n    a = 1\n",
        "class wrong_it:\n    '''No message.'''\n    a = 1\n",
        "class correct_it:\n    a = 1\n",
    ],
)
def test_a_class_in_another_form_is_refused(load, text):
    with pytest.raises(AssignmentError, match="expected wrong_<name>"):
        load(text)

import pytest

from chula_rl.errors import MarkerError
from chula_rl.grading import markers

SOUND = "x = 1\n### BEGIN SOLUTION\ny = 2\n### END SOLUTION\nz = 3"


def test_parse_gives_kind_place_and_lines():
    text = (
        SOUND + "\n    ### BEGIN HIDDEN TESTS\n    a\n    b\n    ### END HIDDEN TESTS"
    )
    solution, tests = markers.parse(text, "cell")
    assert (solution.kind, solution.begin, solution.end) == ("SOLUTION", 1, 3)
    assert solution.lines == ("y = 2",)
    assert (tests.kind, tests.lines) == ("HIDDEN TESTS", ("    a", "    b"))


def test_outside_is_what_nbgrader_would_leave():
    assert markers.outside(SOUND, markers.parse(SOUND, "cell")) == "x = 1\nz = 3"


@pytest.mark.parametrize(
    "line",
    [
        "### BEGIN SOLUTON",
        "### BEGINSOLUTION",
        "### BEGIN_SOLUTION",
        "### BEGN SOLUTION",
        "### Begin Solution",
        "### begin solution",
        "###BEGIN SOLUTION",
        "###  BEGIN SOLUTION",
        "### BEGIN  SOLUTION",
        "### BEGIN SOLUTIONS",
        "### BEGIN SOLUTION ",
        "### BEGIN SOLUTION: the sum",
        "### BEGIN SOLN",
        "### BEGIN ANSWER",
        "### BEGIN S\N{CYRILLIC CAPITAL LETTER O}LUTION",
        "### BEGIN\N{NO-BREAK SPACE}SOLUTION",
        "\t### BEGIN SOLUTION",
        "#### BEGIN SOLUTION",
        "## BEGIN SOLUTION",
        "# BEGIN SOLUTION",
        "# BEGIN soln",
        "# begin solution",
        "#BEGIN SOLUTION",
        "# --- END SOLUTION ---",
        "# SOLUTION BEGINS",
        "x = 1  ### BEGIN SOLUTION",
        "x = 1  # END SOLUTON",
        "// BEGIN SOLUTION",
        '"""BEGIN SOLUTION',
        "### BEGIN HIDDEN TEST",
        "### BEGIN HIDEN TESTS",
        "### BEGIN HIDDENTESTS",
        "### BEGIN TESTS",
        "### END HIDDEN TEST",
        "# end hidden tests",
        "# BEGIN HIDDEN-TESTS",
        "### BEGIN MARK SCHEME",
        "### AUTOTEST f(1)",
        "### HASHED AUTOTEST f(1)",
        "### the sum",
    ],
)
def test_what_resembles_a_marker_is_refused(line):
    with pytest.raises(MarkerError, match=r"cell 3, line 2: .*resembles a marker"):
        markers.parse(f"x = 1\n{line}\ny = 2", "cell 3")


@pytest.mark.parametrize(
    "line",
    [
        "# the solution of the linear system",
        "# sum from t to the end of the episode",
        "assert value == 3, 'G_0 ignores later rewards: sum to the end'",
        "begin, end = 0, len(reward)",
        "test_solution_end = 1",
        "BEGIN = 0",
        "# tests of the shape",
    ],
)
def test_ordinary_lines_pass(line):
    assert markers.parse(line, "cell") == []


def test_markdown_may_have_headings_but_no_misspelt_markers():
    assert markers.parse("### The end of an episode", "cell", code=False) == []
    with pytest.raises(MarkerError):
        markers.parse("### BEGIN SOLUTON", "cell", code=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("### BEGIN SOLUTION\nx", "without its END"),
        ("x\n### END SOLUTION", "no BEGIN SOLUTION before"),
        ("### END SOLUTION\nx\n### BEGIN SOLUTION", "no BEGIN SOLUTION before"),
        ("### BEGIN SOLUTION\nx\n### END HIDDEN TESTS", "no BEGIN HIDDEN TESTS"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\nx\n### END SOLUTION", "inside a"),
        ("### BEGIN SOLUTION\nx\n### BEGIN HIDDEN TESTS\ny", "inside a SOLUTION"),
        (SOUND + "\n### END SOLUTION", "no BEGIN SOLUTION before"),
        ("### BEGIN SOLUTION\n\n### END SOLUTION", "empty SOLUTION"),
        ("### BEGIN SOLUTION\nx\n    ### END SOLUTION", "not indented like"),
    ],
)
def test_unbalanced_markers_are_refused(text, message):
    with pytest.raises(MarkerError, match=message):
        markers.parse(text, "cell")


def test_include_reads_its_target():
    line = "# include: chula_rl.returns:rewards_to_go"
    assert markers.include(line, "cell") == "chula_rl.returns:rewards_to_go"
    assert markers.include("# including both ends", "cell") is None


@pytest.mark.parametrize(
    "line",
    [
        "#include: chula_rl.returns:rewards_to_go",
        "# Include: chula_rl.returns:rewards_to_go",
        "# includ: chula_rl.returns:rewards_to_go",
        "# include chula_rl.returns:rewards_to_go",
        "# include: chula_rl.returns.rewards_to_go",
        "# include: chula_rl.returns:rewards_to_go  # first",
        "    # include: chula_rl.returns:rewards_to_go",
        "## include: chula_rl.returns:rewards_to_go",
    ],
)
def test_what_resembles_an_include_is_refused(line):
    with pytest.raises(MarkerError, match="resembles an include"):
        markers.include(line, "cell")

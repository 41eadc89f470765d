"""Marks as Canvas and Moodle import them, on hand-made gradebooks."""

import csv
import io

import pytest

from chula_rl.errors import ConfigError
from chula_rl.grading import marks, marks_files
from chula_rl.grading.marks import Mark
from chula_rl.grading.marks_files import Given

# As Canvas writes it: a line about hidden marks, one of points, read-only sums, quotes.
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,reinforce (814),"
    '"A2C, part one (815)",Assignments Current Score,Final Score\r\n'
    ",,,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,25.00,26.00,(read only),(read only)\r\n"
    '"Lovelace, Ada",11,u11,ada,"Mon, 10",has a question,,3.00,,\r\n'
    '"=""=Boole""",12,u12,Bob@uni.edu,Mon 10,,12.00,,48.00,48.00\r\n'
    '"Curie, Eve",13,u13,eve,Mon 10,,EX,,,\r\n'
    '"Noether, Zoë",14,u14,zoe,Mon 10,,N/A,,,\r\n'
    '"Turing, Joe",15,u15,joe,Mon 10,,7.00,,,\r\n'
    '"Student, Test",16,,,Mon 10,,,,,\r\n'
).encode()

MOODLE = (
    b'"First name",Surname,"ID number","Email address","Assignment: reinforce (Real)",'
    b'"Last downloaded from this course"\n'
    b"Ada,Lovelace,11,Ada@uni.edu,-,1800000000\n"
    b"Bob,Boole,12,bob@uni.edu,12.00,1800000000\n"
    b"Eve,Curie,,=eve@uni.edu,-,1800000000\n"
    b"Joe,Turing,15,joe@uni.edu,7.00,1800000000\n"
)


def table(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), "")))


def canvas(given, roster=CANVAS, points=25, **options):
    return marks_files.canvas(roster, "reinforce", given, points, **options)


def test_canvas_gets_its_own_file_back_with_the_marks_in_it():
    filled = canvas({"ada": Given(23.5), "bob@uni.edu": Given(20)})
    before, after = table(CANVAS.decode()), table(filled.text)
    assert filled.entered == ["ada", "bob@uni.edu"]
    assert after[3][6] == "23.5"
    assert after[4][6] == "20"
    before[3][6], before[4][6] = "23.5", "20"
    assert after == before
    assert filled.text.startswith("Student,ID,SIS User ID,SIS Login ID,Section,Notes,")
    assert filled.text.count("\r\n") == CANVAS.count(b"\r\n")


def test_canvas_says_who_is_in_one_list_only_and_what_it_replaces():
    given = {name: Given(20) for name in ("ada", "bob@uni.edu", "eve", "zoe", "max")}
    filled = canvas(given)
    assert filled.entered == ["ada", "bob@uni.edu"]
    assert filled.notes == [
        "max is not in the roster (column 'SIS Login ID'): 20 not entered",
        "1 rows of the roster have no 'SIS Login ID'",
        "joe is in the roster and has no mark",
        "bob@uni.edu had 12.00, now 20",
        "eve is excused in Canvas: 20 not entered",
        "zoe is not assigned to it in Canvas: 20 not entered",
    ]
    marked = [row[6] for row in table(filled.text)[3:]]
    assert marked == ["20", "20", "EX", "N/A", "7.00", ""]


def test_canvas_files_with_semicolons_commas_in_numbers_and_a_byte_order_mark():
    text = "Student;ID;SIS Login ID;Section;reinforce (1)\n"
    text += "    Points Possible;;;;25,00\nAda;1;ada;A;12,50\nBob;2;bob;A;\n"
    given = {"ada": Given(12.5), "bob": Given(1 / 3)}
    filled = canvas(given, f"\ufeff{text}".encode())
    assert filled.text == f"\ufeff{text}".replace("12,50", "12.5").replace(
        "bob;A;", "bob;A;0.33"
    )
    assert filled.notes == []


def test_the_column_of_the_students_is_found_by_their_names():
    filled = canvas({"11": Given(5), "12": Given(6)})  # Canvas's own numbers
    assert [row[6] for row in table(filled.text)[3:5]] == ["5", "6"]
    filled = canvas({"u15": Given(5)}, match="sis user id")
    assert table(filled.text)[7][6] == "5"


def test_the_column_of_the_assignment_can_be_named():
    for column in ("A2C, part one", "a2c, PART one (815)"):
        filled = canvas({"joe": Given(5)}, points=26, column=column)
        assert table(filled.text)[7][7] == "5"


@pytest.mark.parametrize(
    ("roster", "options", "message"),
    [
        (CANVAS, {"points": 24}, "'reinforce \\(814\\)' has 25.00 points; expected 24"),
        (CANVAS, {"column": "DDPG"}, r"0 assignments 'DDPG'.*reinforce \(814\); A2C"),
        (CANVAS, {"column": "Final Score"}, "0 assignments"),
        (CANVAS, {"match": "Login"}, "0 columns 'Login'.*SIS Login ID"),
        (CANVAS.replace(b"A2C, part one", b"reinforce"), {}, "2 assignments"),
        (CANVAS.replace(b"joe", b"tom").replace(b"15", b"x"), {}, "no student is in"),
        (b"", {}, "cannot be read"),
        (b"\xff\xfe\x00", {}, "cannot be read"),
        (b'Student,ID,"SIS Login ID\n', {}, "cannot be read"),
    ],
)
def test_another_file_is_refused_in_words(roster, options, message):
    with pytest.raises(ConfigError, match=message):
        canvas({"joe": Given(5)}, roster, **options)


def test_two_of_a_name_get_no_mark():
    twice = CANVAS + b"Joe Two,18,u18,Joe,Mon 10,,,,,\r\n"
    filled = canvas({"joe": Given(5), "ada": Given(1)}, twice)
    assert filled.entered == ["ada"]
    assert "joe is not the only one of that name in the roster" in filled.notes[0]
    filled = canvas({"Ada": Given(5), "ada": Given(1), "joe": Given(2)})
    assert filled.entered == ["joe"]


def moodle(given, roster=MOODLE, match=None):
    return marks_files.moodle(roster, "reinforce", given, match)


def test_moodle_gets_rows_of_known_students_with_marks_only():
    filled = moodle(
        {
            "ada@uni.edu": Given(20, "20 of 25 points."),
            "bob@uni.edu": Given(0.5, "0.5 of 25 points."),
            "max@uni.edu": Given(3),
        }
    )
    assert table(filled.text) == [
        [
            *("Email address", "Last downloaded from this course"),
            *("reinforce", "reinforce feedback"),
        ],
        ["Ada@uni.edu", "1800000000", "20", "20 of 25 points."],
        ["bob@uni.edu", "1800000000", "0.5", "0.5 of 25 points."],
    ]
    assert filled.entered == ["ada@uni.edu", "bob@uni.edu"]
    assert filled.notes == [
        "max@uni.edu is not in the roster (column 'Email address'): 3 not entered",
        "=eve@uni.edu is in the roster and has no mark",
        "joe@uni.edu is in the roster and has no mark",
    ]


def test_moodle_students_by_another_column_and_without_a_roster():
    assert table(moodle({"11": Given(1)}).text)[1][:3] == ["11", "1800000000", "1"]
    filled = moodle({"Ada": Given(1)}, match="first name")
    assert table(filled.text)[1][0] == "Ada"
    assert "1 rows" not in " ".join(filled.notes)
    without = moodle({"11": Given(1)}, None)
    assert table(without.text)[0] == ["username", "reinforce", "reinforce feedback"]
    with pytest.raises(ConfigError, match="no student is in the roster"):
        moodle({"nobody": Given(1)})


def test_rows_of_the_roster_without_a_name_are_told_and_left_out():
    filled = moodle({"11": Given(1)}, match="ID number")
    assert "1 rows of the roster have no 'ID number'" in filled.notes
    assert len(table(filled.text)) == 2


@pytest.mark.parametrize("student", ["=eve@uni.edu", "+1", "-1", "@x", "\t=1", " =1"])
def test_a_name_that_a_spreadsheet_would_run_is_left_out(student):
    filled = moodle({student: Given(3), "ada": Given(1)}, None)
    assert filled.entered == ["ada"]
    assert "Enter this mark by hand" in filled.notes[0]
    assert "=" not in filled.text


@pytest.mark.parametrize(
    "text",
    ['=HYPERLINK("http://x")', "@x", "-1", "+1", "\t=1", "  =1", "a\n=b"],
)
def test_feedback_is_no_formula(text):
    [_, row] = table(moodle({"ada": Given(1, text)}, None).text)
    assert not marks.is_formula(row[2])


def test_feedback_is_text_to_moodle_and_to_its_reader():
    r"""Moodle shows HTML, and PHP takes ``\"`` for an escape even in CSV."""
    [_, row] = table(moodle({"ada": Given(1, 'x < 3 & "y" \\" \\')}, None).text)
    assert row[2] == "x &lt; 3 &amp; &#34;y&#34; &#92;&#34; &#92;"


@pytest.mark.parametrize("student", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_our_own_table_has_no_formula(student, tmp_path):
    mark = Mark(student, "refused", '=HYPERLINK("x")', max_points={"a": 1.0})
    marks.write_csv([mark, Mark("ada", "graded")], tmp_path / "marks.csv")
    _, row, plain = table((tmp_path / "marks.csv").read_bytes().decode())
    assert row[0] == f"'{student}"
    assert row[2] == '\'=HYPERLINK("x")'
    assert plain[0] == "ada"

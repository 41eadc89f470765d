"""A CSV file of an LMS: read, changed in places, and written as it was."""

import csv
import io
from dataclasses import dataclass

from chula_rl.errors import ConfigError
from chula_rl.grading.texts import shown

_SEPARATORS = ",;\t"


@dataclass
class Sheet:
    """A CSV file that an LMS has exported.

    Attributes:
        header: the names of the columns.
        rows: what is below; a row may be shorter than the header.
    """

    header: list[str]
    rows: list[list[str]]
    _separator: str = ","
    _newline: str = "\r\n"
    _mark: str = ""  # the byte order mark that spreadsheets want

    @classmethod
    def parse(cls, data: bytes) -> "Sheet":
        """Read a file, separated by commas, semicolons or tabs.

        Raises:
            ConfigError: it is no such file.
        """
        try:
            text = data.decode("utf-8")
            mark = "\ufeff" if text.startswith("\ufeff") else ""
            text = text.removeprefix("\ufeff")
            first = text.partition("\n")[0]
            separator = max(_SEPARATORS, key=first.count)
            lines = csv.reader(io.StringIO(text, ""), delimiter=separator, strict=True)
            header, *rows = list(lines)
        except (ValueError, csv.Error) as error:  # of UTF-8 as well
            raise ConfigError(
                f"the roster cannot be read: {error}. Expected a CSV file in UTF-8 as "
                "the gradebook exports it, with a line of column names first."
            ) from error
        newline = "\r\n" if "\r\n" in text else "\n"
        return cls(header, rows, separator, newline, mark)

    def column(self, name: str) -> int:
        """Where a column is; capitals do not matter.

        Raises:
            ConfigError: there is none of that name, or there are several.
        """
        names = [title.strip().casefold() for title in self.header]
        if names.count(name.strip().casefold()) != 1:
            titles = ", ".join(shown(title) for title in self.header)
            raise ConfigError(
                f"the roster has {names.count(name.strip().casefold())} columns "
                f"'{name}'; expected one. It has: {titles}."
            )
        return names.index(name.strip().casefold())

    def write(self) -> str:
        """The text of the file."""
        output = io.StringIO(newline="")
        writer = csv.writer(
            output, delimiter=self._separator, lineterminator=self._newline
        )
        writer.writerows([self.header, *self.rows])
        return self._mark + output.getvalue()

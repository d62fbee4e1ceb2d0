#!/usr/bin/env python3
"""What Doxygen reads in place of a header: contract_filter.py FILE prints it.

The inline namespace of the version is left out, and the code behind `Example:` is marked as code.
The lines stay where they are, so that a warning of Doxygen names the right one.
"""

import pathlib
import re
import sys


def filtered(text):
    text = re.sub(r"\bnamespace troupe::inline v\w+", "namespace troupe", text)
    rows = []
    is_code = False
    for row in text.split("\n"):
        is_indented = re.match(r"^\s*///(?: {5,}|\s*$)", row)
        if is_code and not is_indented:
            rows[-1] += " @endcode"
            is_code = False
        if re.match(r"^\s*/// *Example:\s*$", row):
            row += " @code{.cpp}"
            is_code = True
        rows.append(row)
    return "\n".join(rows)


if __name__ == "__main__":
    sys.stdout.write(filtered(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))

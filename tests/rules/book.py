"""Reads the tables of docs/rules.md, and finds what is wrong with them.

A row is `key | what is promised | where | tests`, or in the table of properties `key | what always holds | tests`:

    `rule/BR-OTA-041`     in backquotes
    where                 `domain/verdict.cpp` (`abort_by_threshold`, `verdict_at_end`); `http/render.cpp`
                          files and folders that exist, each with names that stand in the file
    tests                 `tests/domain/verdict_test.cpp`: "the name of a test case"<br>`tests/e2e/bad_input.py`
                          a test case that stands in its file, or a script, each in the records of this build (ran.py)
"""
import glob
import os
import re

import ran

BOOK = "docs/rules.md"
ROW = re.compile(r"^\|\s*`([^`]+)`\s*\|(.*)\|\s*$")
PLACE = re.compile(r"^`([^`]+)`(?:\s*\(([^()]*)\))?$")
NAME = re.compile(r"^`([^`]+)`$")
TEST = re.compile(r'^`([^`]+)`(?::\s*"(.*)")?$')
# Adjacent literals are one name; a quotation mark within it has a backslash.
TEST_CASE = re.compile(r'\bTEST_CASE\s*\(\s*((?:"(?:[^"\\\n]|\\.)*"\s*)+)')
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


class Row:
    def __init__(self, key, line, cells):
        self.key, self.line = key, line
        self.promise = cells[0]
        self.where = cells[1] if len(cells) > 2 else None
        self.tests = cells[-1]


def rows(text):
    """Every row of a table whose first cell is a key in backquotes; headings and other tables are not."""
    for number, line in enumerate(text.splitlines(), 1):
        found = ROW.match(line)
        if found:
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", found.group(2))]
            yield Row(found.group(1), number, cells)


def test_cases(source):
    """The names of the test cases of each file, as "tests/..." -> {name}."""
    found = {}
    for path in glob.glob(os.path.join(source, "tests", "**", "*.cpp"), recursive=True):
        with open(path, encoding="utf-8") as text:
            names = {"".join(LITERAL.findall(literals)).replace('\\"', '"') for literals in TEST_CASE.findall(text.read())}
        if names:
            found[os.path.relpath(path, source)] = names
    return found


class Records:
    """Which tests passed in this build, and which only in another."""

    def __init__(self, source, build):
        self.passed, self.stale = set(), set()
        folder = ran.folder(build)
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            head, *lines = ran.read(os.path.join(folder, name)) or [""]
            if name.endswith(".py"):
                lines = [script for script in scripts(source) if os.path.basename(script) == name]
                is_of_this_build = any(head == ran.head_of_script(build, os.path.join(source, script)) for script in lines)
            else:
                is_of_this_build = head == ran.head_of_program(os.path.join(build, "tests", name))
            (self.passed if is_of_this_build else self.stale).update(lines)

    def why_not(self, entry):
        """What is missing; empty if it passed."""
        if entry in self.passed:
            return ""
        return "ran in another build only" if entry in self.stale else "did not run, or did not pass"


def scripts(source):
    return [os.path.relpath(path, source) for folder in ("e2e", "structure")
            for path in glob.glob(os.path.join(source, "tests", folder, "*.py"))]


def check_places(row, source):
    for part in row.where.split(";"):
        found = PLACE.match(part.strip())
        if not found:
            yield f"the place {part.strip()!r} is not `path` or `path` (`name`, ...)"
            continue
        path = os.path.join(source, found.group(1))
        if not os.path.exists(path):
            yield f"there is no {found.group(1)}"
            continue
        for name in (found.group(2) or "").split(",") if found.group(2) else ():
            word = NAME.match(name.strip())
            if not word:
                yield f"{name.strip()!r} behind {found.group(1)} is not a name in backquotes"
            elif not os.path.isfile(path):
                yield f"{found.group(1)} is a folder: it has no {word.group(1)}"
            else:
                with open(path, encoding="utf-8") as text:
                    if not re.search(rf"(?<!\w){re.escape(word.group(1))}(?!\w)", text.read()):
                        yield f"there is no {word.group(1)} in {found.group(1)}"


def check_tests(row, source, cases, records):
    if not row.tests:
        yield "no test is named"
    for part in row.tests.split("<br>") if row.tests else ():
        found = TEST.match(part.strip())
        if not found:
            yield f'the test {part.strip()!r} is not `file`: "name" or `script`'
            continue
        file, name = found.groups()
        if not os.path.isfile(os.path.join(source, file)):
            yield f"there is no {file}"
        elif name is None:
            if not file.endswith(".py"):
                yield f"no test case of {file} is named"
            elif file != "tests/rules/rules.py" and (why := records.why_not(file)):
                yield f"{file} {why}"
        elif name not in cases.get(file, ()):
            yield f'there is no test case "{name}" in {file}'
        elif why := records.why_not(f"{file}\t{name}"):
            yield f'"{name}" of {file} {why}'


def check(keys, source, build):
    """Everything that is wrong, a line each."""
    with open(os.path.join(source, BOOK), encoding="utf-8") as text:
        book = list(rows(text.read()))
    cases, records, wrong = test_cases(source), Records(source, build), []
    seen = {}
    for row in book:
        def say(what):
            wrong.append(f"{BOOK}:{row.line}: {row.key}: {what}")
        if row.key not in keys:
            say("nobody knows this key")
        if row.key in seen:
            say(f"has a row already, in line {seen[row.key]}")
        seen.setdefault(row.key, row.line)
        of_property = row.key.startswith("property/")
        if (row.where is None) != of_property or not row.promise:
            say("a row is: key | what always holds | tests" if of_property else "a row is: key | promise | where | tests")
            continue
        for what in check_places(row, source) if row.where is not None else ():
            say(what)
        for what in check_tests(row, source, cases, records):
            say(what)
    wrong += [f"{BOOK}: {key} has no row" for key in keys if key not in seen]
    return wrong

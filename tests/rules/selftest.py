"""What book.py must find, each on a small house of its own: a row that is missing, a test that was renamed, one that
did not run."""
import os
import tempfile

import book
import ran

KEYS = ["decision 1", "property/order"]
GOOD = '''# Rules
| key | promise | where | tests |
| --- | --- | --- | --- |
| `decision 1` | What is one. | `domain/one.cpp` (`decide`, `kMost`); `domain` | `tests/one_test.cpp`: "one \\| "two" three"<br>`tests/e2e/story.py` |
| key | what always holds | tests |
| --- | --- | --- |
| `property/order` | They are in order. | `tests/one_test.cpp`: "in order" |
'''
SOURCES = {
    "docs/rules.md": GOOD,
    "domain/one.cpp": "int decide() { return kMost; }\n",
    "tests/one_test.cpp": 'TEST_CASE(\n    "one | \\"two\\" "\n    "three") {}\nTEST_CASE("in order") {}\n',
    "tests/e2e/story.py": "",
    "build/tests/test_one": "program",
}


class House:
    """Sources and a build in which everything is right."""

    def __init__(self, place):
        self.place = place
        for path, text in SOURCES.items():
            self.write(path, text)
        self.record("test_one", ran.head_of_program(self.at("build/tests/test_one")),
                    'tests/one_test.cpp\tone | "two" three', "tests/one_test.cpp\tin order")
        self.record("story.py", ran.head_of_script(self.at("build"), self.at("tests/e2e/story.py")))

    def at(self, path):
        return os.path.join(self.place, path)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "w", encoding="utf-8") as file:
            file.write(text)

    def replace(self, path, old, new):
        with open(self.at(path), encoding="utf-8") as file:
            text = file.read()
        assert old in text, (path, old)
        self.write(path, text.replace(old, new))

    def record(self, name, *lines):
        self.write(f"build/tests/ran/{name}", "".join(line + "\n" for line in lines))

    def wrong(self):
        return book.check(KEYS, self.place, self.at("build"))


def in_the_book(old, new):
    return lambda house: house.replace("docs/rules.md", old, new)


def in_the_record(old, new):
    return lambda house: house.replace("build/tests/ran/test_one", old, new)


def remove(path):
    return lambda house: os.remove(house.at(path))


def built_anew(path):
    return lambda house: os.utime(house.at(path), (1, 1))


# What is done to a house in which everything is right, and what must be said of it.
FAULTS = [
    (in_the_book("| `property/order`", "| property/order"), "property/order has no row"),
    (in_the_book("`property/order`", "`decision 1`"), "has a row already, in line 4"),
    (in_the_book("`property/order`", "`decision 36`"), "nobody knows this key"),
    (in_the_book("What is one.", ""), "a row is: key | promise"),
    (in_the_book("They are in order. |", "They are in order. | `domain` |"), "a row is: key | what always holds"),
    (in_the_book("`domain/one.cpp` (", "`domain/two.cpp` ("), "there is no domain/two.cpp"),
    (in_the_book("`kMost`", "`kLeast`"), "there is no kLeast in domain/one.cpp"),
    (in_the_book("; `domain`", "; domain"), "the place 'domain' is not"),
    (in_the_book("; `domain`", "; `domain` (`decide`)"), "domain is a folder"),
    (in_the_book(': "in order"', ""), "no test case of tests/one_test.cpp is named"),
    (in_the_book('`tests/one_test.cpp`: "in order"', ""), "no test is named"),
    (in_the_book('`tests/one_test.cpp`: "in order"', "the compiler"), "the test 'the compiler' is not"),
    (in_the_book("tests/e2e/story.py", "tests/e2e/tale.py"), "there is no tests/e2e/tale.py"),
    (lambda house: house.replace("tests/one_test.cpp", "in order", "in any order"),
     'there is no test case "in order" in tests/one_test.cpp'),
    (in_the_record("tests/one_test.cpp\tin order\n", ""), '"in order" of tests/one_test.cpp did not run'),
    (remove("build/tests/ran/story.py"), "tests/e2e/story.py did not run"),
    (built_anew("tests/e2e/story.py"), "tests/e2e/story.py ran in another build only"),
]


def run():
    for change, said in [(None, None), *FAULTS]:
        with tempfile.TemporaryDirectory(prefix="ota-rules-") as place:
            house = House(place)
            if change:
                change(house)
            wrong = house.wrong()
        if said is None:
            assert wrong == [], wrong
        else:
            assert [line for line in wrong if said in line] and all(line.startswith("docs/rules.md") for line in wrong), (said, wrong)
    with tempfile.TemporaryDirectory(prefix="ota-rules-") as place:
        house = House(place)
        built_anew("build/tests/test_one")(house)
        assert len(house.wrong()) == 2 and all("in another build only" in line for line in house.wrong()), house.wrong()


if __name__ == "__main__":
    run()

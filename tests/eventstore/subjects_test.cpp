// Persons and their tokens: one each, durable, and gone for good when erased.
#include "eventstore/subjects.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <thread>

#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

// True if any file of the directory contains `text`.
bool on_disk(const std::filesystem::path& directory, std::string_view text) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("tokens for many persons are those of each of them, made once and synced before they are given") {
  TempDir directory;
  std::vector<SubjectToken> tokens;
  {
    const auto subjects = Subjects::open(directory.path());
    const SubjectToken ada = subjects->token_for("ada");
    tokens = subjects->tokens_for({"grace", "ada", "", "grace", "joan"});
    REQUIRE(tokens.size() == 5);
    CHECK(tokens[1] == ada);
    CHECK(tokens[2].empty());
    CHECK(tokens[0] == tokens[3]);
    CHECK(std::set<SubjectToken>(tokens.begin(), tokens.end()).size() == 4);
    CHECK(subjects->token_for("joan") == tokens[4]);
    CHECK(subjects->tokens_for({}).empty());
  }
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->tokens_for({"grace", "ada", "", "grace", "joan"}) == tokens);
  CHECK(subjects->person(tokens[0]) == "grace");
}

TEST_CASE("a person has one token, before and after a restart") {
  TempDir directory;
  SubjectToken ada;
  SubjectToken bob;
  {
    const auto subjects = Subjects::open(directory.path());
    ada = subjects->token_for("ada");
    bob = subjects->token_for("bob");
    CHECK_FALSE(ada.empty());
    CHECK(ada != bob);
    CHECK(subjects->token_for("ada") == ada);
    CHECK(subjects->person(ada) == "ada");
  }
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->token_for("ada") == ada);
  CHECK(subjects->token_for("bob") == bob);
  CHECK(subjects->person(ada) == "ada");
  CHECK(subjects->person(bob) == "bob");
}

TEST_CASE("nobody has the empty token") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  CHECK(subjects->token_for("").empty());
  CHECK_FALSE(subjects->person({}));
  subjects->erase({});
  CHECK_FALSE(subjects->person({{1, 2, 3, 4, 5, 6, 7, 8}}));
}

TEST_CASE("any bytes are a person, up to the limit") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  for (const std::string& person :
       {std::string("\0", 1), std::string("a\0b", 3), std::string(256, '\xff')}) {
    CHECK(subjects->person(subjects->token_for(person)) == person);
  }
}

TEST_CASE("an erased person is unknown, is nowhere on disk, and gets a new token when he returns") {
  TempDir directory;
  const std::string name = "ada.lovelace@example.org";
  auto subjects = Subjects::open(directory.path());
  const SubjectToken before = subjects->token_for(name);
  const SubjectToken other = subjects->token_for("bob");
  REQUIRE(on_disk(directory.path(), name));
  subjects->erase(before);
  CHECK_FALSE(on_disk(directory.path(), name));
  CHECK_FALSE(subjects->person(before));
  CHECK(subjects->person(other) == "bob");
  subjects->erase(before);  // again, as after each start

  const SubjectToken after = subjects->token_for(name);
  CHECK(after != before);
  subjects.reset();
  subjects = Subjects::open(directory.path());
  CHECK_FALSE(subjects->person(before));
  CHECK(subjects->token_for(name) == after);
}

TEST_CASE("a name that was written long ago is erased from every file") {
  TempDir directory;
  auto subjects = Subjects::open(directory.path());
  const SubjectToken token = subjects->token_for("grace.hopper@example.org");
  for (int i = 0; i < 300; ++i) subjects->token_for("person " + std::to_string(i));
  subjects.reset();
  subjects = Subjects::open(directory.path());  // what was in the WAL is in a table now
  for (int i = 300; i < 400; ++i) subjects->token_for("person " + std::to_string(i));
  subjects->erase(token);
  CHECK_FALSE(on_disk(directory.path(), "grace.hopper"));
  CHECK(subjects->person(subjects->token_for("person 7")) == "person 7");
}

TEST_CASE("many threads that name one person get one token") {
  TempDir directory;
  const auto subjects = Subjects::open(directory.path());
  std::vector<std::vector<SubjectToken>> tokens(8);
  std::vector<std::thread> threads;
  for (auto& mine : tokens) {
    threads.emplace_back([&mine, &subjects] {
      for (int i = 0; i < 50; ++i) {
        mine.push_back(subjects->token_for("person " + std::to_string(i)));
        CHECK(subjects->person(mine.back()) == "person " + std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mine : tokens) CHECK(mine == tokens[0]);
  CHECK(std::set<SubjectToken>(tokens[0].begin(), tokens[0].end()).size() == 50);
}

TEST_CASE("a directory that cannot be the subjects' says so and is named") {
  TempDir directory;
  SUBCASE("in use") {
    const auto subjects = Subjects::open(directory.path());
    CHECK(why_not_open<Subjects>(directory.path()).find("in use by another process") != std::string::npos);
    CHECK(why_not_open<Subjects>(directory.path()).find(directory.path().string()) != std::string::npos);
  }
  SUBCASE("other files") {
    std::ofstream(directory.path() / "letter.txt") << "dear";
    CHECK(why_not_open<Subjects>(directory.path()).find("letter.txt") != std::string::npos);
  }
  SUBCASE("an event log") {
    Log::open(directory.path());
    CHECK(why_not_open<Subjects>(directory.path()).find(directory.path().string()) != std::string::npos);
  }
}

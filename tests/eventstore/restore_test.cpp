// Restores that are killed, that fail, and that meet: what they leave, and that the next one makes it good.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <map>
#include <vector>

#include "backed_up.hpp"
#include "eventstore/backup_label.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/restore_place.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

const std::vector<std::string> kSteps{"backups.place_taken", "backups.log_restored", "backups.names_restored", "backups.names_shown"};

std::string why_no_start(const fs::path& data) {
  return why_not([&] { refuse_half_restored(data); });
}

std::vector<std::string> entries_of(const fs::path& directory) {
  std::vector<std::string> names;
  if (!fs::exists(directory)) return names;
  for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// What is there at a step of a restore: what is there if it is killed then.
void copy_at(const std::string& step, const fs::path& data, const fs::path& to) {
  fault::set_hook([=](std::string_view passed) {
    if (passed == step) fs::copy(data, to, fs::copy_options::recursive);
  });
}

// Changes the line of a backup's metadata, hexadecimal, as somebody or a disk might.
void change_metadata(const fs::path& meta, const std::function<std::string(std::string)>& change) {
  std::ifstream in(meta);
  std::string text, line;
  while (std::getline(in, line)) {
    const std::string field = "metadata ";
    text += (line.starts_with(field) ? field + change(line.substr(field.size())) : line) + "\n";
  }
  in.close();
  std::ofstream(meta) << text;
}

void flip_byte(const fs::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const auto was = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(was ^ 1));
}

}  // namespace

TEST_CASE("a restore that is killed at any step leaves what no service starts on, and is done again") {
  BackedUp b;
  const auto ada = b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  for (const auto& step : kSteps) {
    CAPTURE(step);
    const auto killed = b.place.path() / ("killed at " + step);
    const auto again = b.place.path() / ("killed twice at " + step);
    const auto data = b.place.path() / ("data of " + step);
    copy_at(step, data, killed);
    b.backups.restore(data);
    REQUIRE(fs::exists(killed));
    CHECK_FALSE(fs::exists(killed / "log"));
    CHECK_MESSAGE(why_no_start(killed).find("a restore to " + killed.string() + " is not finished: there is ") == 0, why_no_start(killed));
    // Keys and firmware have been copied in meanwhile.
    fs::create_directories(killed / "keys");
    fs::create_directories(killed / "artifacts");
    copy_at("backups.place_taken", killed, again);
    b.backups.restore(killed);
    CHECK(why_no_start(again) != "it was done");
    fault::set_hook({});
    b.backups.restore(again);
    for (const auto& restored : {killed, again}) {
      CHECK(why_no_start(restored) == "it was done");
      CHECK(entries_of(restored) == std::vector<std::string>{"artifacts", "keys", "log", "subjects"});
      CHECK(b.verified(restored) == 10);
      CHECK(Subjects::open(restored / "subjects")->person(ada) == "ada");
    }
  }
}

TEST_CASE("a restore that is killed when the log is in its place is done") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto killed = b.place.path() / "killed";
  copy_at("backups.log_shown", b.place.path() / "data", killed);
  b.backups.restore(b.place.path() / "data");
  fault::set_hook({});
  CHECK(why_no_start(killed) == "it was done");
  CHECK(why_not([&] { b.backups.restore(killed); }).find("log is there already") != std::string::npos);
  CHECK(b.verified(killed) == 10);
  Subjects::open(killed / "subjects");
  CHECK_FALSE(fs::exists(killed / "subjects" / "RESTORE"));
}

TEST_CASE("names that a killed restore has shown are never there in part") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto killed = b.place.path() / "killed";
  copy_at("backups.names_shown", b.place.path() / "data", killed);
  b.backups.restore(b.place.path() / "data");
  // Beside them, what another one was killed at: its names are removed first.
  fs::create_directories(killed / "subjects.restoring" / "of another");
  std::vector<std::string> moved, emptied;
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.left_names_aside") moved = entries_of(killed);
    if (passed == "backups.place_taken") emptied = entries_of(killed);
  });
  b.backups.restore(killed);
  fault::set_hook({});
  CHECK(moved == std::vector<std::string>{"log.restoring", "subjects.restoring"});
  CHECK(emptied == std::vector<std::string>{"log.restoring"});
  CHECK(entries_of(killed) == std::vector<std::string>{"log", "subjects"});
}

TEST_CASE("two restores to one place: the second is refused in words, and the first is as if it had been alone") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  std::map<std::string, std::string> told;
  fault::set_hook([&](std::string_view passed) {
    if (told.contains(std::string(passed)) || passed == "backups.log_shown") return;
    told[std::string(passed)] = "";  // it would come by here itself
    const auto second = why_not([&] { b.backups.restore(data); });
    told[std::string(passed)] = second;
  });
  b.backups.restore(data);
  fault::set_hook({});
  REQUIRE(told.size() == kSteps.size());
  for (const auto& [step, second] : told) CHECK_MESSAGE(second == "another restore to " + data.string() + " is running", step, ": ", second);
  CHECK(b.verified(data) == 10);
  CHECK(entries_of(data) == std::vector<std::string>{"log", "subjects"});
}

TEST_CASE("of many restores at once to one place one is done, and what it says is so") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  for (int round = 0; round < 10; ++round) {
    const auto data = b.place.path() / std::to_string(round);
    std::vector<std::future<std::string>> all;
    for (int i = 0; i < 4; ++i) {
      all.push_back(std::async(std::launch::async, [&] { return why_not([&] { Backups(b.place.path() / "backups").restore(data); }); }));
    }
    int done = 0;
    for (auto& one : all) {
      const auto told = one.get();
      const bool is_refused = told.find("is running") != told.npos || told.find("is there already") != told.npos;
      CHECK_MESSAGE((told == "it was done" || is_refused), told);
      done += told == "it was done";
    }
    CHECK(done == 1);
    CHECK(b.verified(data) == 10);
    CHECK(entries_of(data) == std::vector<std::string>{"log", "subjects"});
    CHECK(Subjects::open(data / "subjects")->token_for("ada") == b.subjects->token_for("ada"));
  }
}

TEST_CASE("a service that starts while a restore runs does not begin a log, and one that has begun keeps it") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  std::string told;
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.log_restored") told = why_no_start(data);
    // It looked before the restore began, and is only now at its log: even an empty directory is not replaced.
    if (passed == "backups.names_restored") fs::create_directories(data / "log");
    if (passed == "backups.names_restored") CHECK_FALSE(remove_left_by_restore(data));
  });
  CHECK(why_not([&] { b.backups.restore(data); }).find("log is there already") != std::string::npos);
  fault::set_hook({});
  CHECK_MESSAGE(told.find("is not finished: there is " + (data / "log.restoring").string() + ", and no log") != told.npos, told);
  CHECK(entries_of(data) == std::vector<std::string>{"log"});
  CHECK(fs::is_empty(data / "log"));
}

TEST_CASE("an empty directory that a service has just made is not replaced by a log that is restored") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  fault::set_hook([&](std::string_view passed) {
    if (passed == "backups.names_shown") fs::create_directories(data / "log");
  });
  CHECK(why_not([&] { b.backups.restore(data); }).find("File exists") != std::string::npos);
  fault::set_hook({});
  CHECK(entries_of(data) == std::vector<std::string>{"log"});
  CHECK(fs::is_empty(data / "log"));
}

TEST_CASE("what a restore has left beside a log is removed, with the names in it") {
  TempDir place;
  CHECK_FALSE(remove_left_by_restore(place.path()));
  fs::create_directories(place.path() / "log");
  fs::create_directories(place.path() / "subjects.restoring" / "names");
  CHECK(why_no_start(place.path()) == "it was done");
  CHECK(remove_left_by_restore(place.path()));
  fs::create_directories(place.path() / "log.restoring");
  CHECK(remove_left_by_restore(place.path()));
  CHECK(entries_of(place.path()) == std::vector<std::string>{"log"});
}

TEST_CASE("a restore that fails leaves nothing, and names the file that is damaged") {
  BackedUp b;
  b.subjects->token_for("ada");
  b.write(20'000);
  b.store.reopen();  // into tables, one for each kind of rows
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(b.place.path() / "backups" / "log" / "shared_checksum")) files.push_back(entry.path());
  REQUIRE(files.size() > 2);
  for (const auto& file : files) {
    const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
    flip_byte(file, middle);
    const auto why = why_not([&] { b.backups.restore(data); });
    CHECK_MESSAGE(why.find("cannot be restored to " + data.string()) != why.npos, why);
    CHECK_MESSAGE(why.find(file.filename()) != why.npos, why);
    CHECK(entries_of(data).empty());
    flip_byte(file, middle);
  }
  for (const auto& entry : fs::directory_iterator(b.place.path() / "backups" / "subjects" / "private" / "1")) {
    if (entry.path().extension() == ".log") flip_byte(entry.path(), 10);
  }
  const auto why = why_not([&] { b.backups.restore(data); });
  CHECK_MESSAGE(why.find("backups/subjects/private/1/") != why.npos, why);
  CHECK(entries_of(data).empty());
}

TEST_CASE("a link in the place of a restore is somebody's: what it names stays, and nothing is restored") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto theirs = b.place.path() / "theirs";
  fs::create_directories(theirs / "kept");
  const auto data = b.place.path() / "data";
  fs::create_directories(data);
  fs::create_directory_symlink(theirs, data / "log.restoring");
  const auto why = why_not([&] { b.backups.restore(data); });
  CHECK_MESSAGE(why.find((data / "log.restoring").string() + " cannot be opened") == 0, why);
  CHECK(entries_of(theirs) == std::vector<std::string>{"kept"});
  CHECK_FALSE(fs::exists(data / "log"));
}

TEST_CASE("what a backup says of itself is as it was written, or damage that is named") {
  const std::string hash(43, 'A');
  const auto text = text_of(LogLabel{{13'634}, hash + "=", "-"});
  REQUIRE(parse_log_label(text));
  CHECK(parse_log_label(text)->head.value == 13'634);
  CHECK(parse_log_label(text)->first == hash + "=");
  CHECK(parse_log_label(text)->last == "-");
  CHECK(text == "13634 " + hash + "= - crc32c:1c578858");
  CHECK(parse_names_label(text_of(NamesLabel{{7}, 3}))->log == 3);
  CHECK(text_of(NamesLabel{{7}, 3}) == "7 3 crc32c:d94a18ca");
  const auto flipped = [](std::string label, std::size_t bit) {
    label[bit / 8] = static_cast<char>(label[bit / 8] ^ (1 << bit % 8));
    return label;
  };
  const auto of_names = text_of(NamesLabel{{7}, 3});
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) CHECK_MESSAGE(!parse_log_label(flipped(text, bit)), flipped(text, bit));
  for (std::size_t bit = 0; bit < 8 * of_names.size(); ++bit) CHECK_MESSAGE(!parse_names_label(flipped(of_names, bit)), flipped(of_names, bit));
  // Of earlier versions.
  CHECK(parse_log_label("20")->head.value == 20);
  CHECK(parse_log_label("20 " + hash + "= " + hash + "=")->head.value == 20);
  CHECK(parse_names_label("20")->head.value == 20);
  CHECK_FALSE(parse_names_label("20")->log);
  CHECK(parse_names_label("20 4")->log == 4);
  for (const auto* wrong : {"", " ", " 3634", "x", "-1", "99999999999999999999", "20 -", "20 - - -", "20 x x", "20  "}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_log_label(wrong));
    CHECK_FALSE(parse_names_label(wrong));
  }
}

TEST_CASE("a backup of which nobody knows how far it goes is not taken for one without events") {
  BackedUp b;
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  b.write(10);
  b.backups.take(*b.store.log, *b.subjects);
  const auto data = b.place.path() / "data";
  const auto backups = b.place.path() / "backups";
  const auto is_named = [&](const std::string& why, const std::string& file) {
    CHECK_MESSAGE(why.find("is damaged, \"") != why.npos, why);
    CHECK_MESSAGE(why.find((backups / file).string()) != why.npos, why);
  };
  SUBCASE("of the log: the first digit is another one") {
    std::string digit;
    SUBCASE("which is none") { digit = "20"; }
    SUBCASE("which is one") { digit = "39"; }
    change_metadata(backups / "log" / "meta" / "2", [&](const std::string& hex) { return digit + hex.substr(2); });
    is_named(why_not([&] { b.backups.check(); }), "log/meta/2");
    is_named(why_not([&] { b.backups.check(2); }), "log/meta/2");
    is_named(why_not([&] { b.backups.restore(data); }), "log/meta/2");
    CHECK_FALSE(fs::exists(data));
    REQUIRE(b.backups.list().size() == 2);
    CHECK(b.backups.list().front().is_sound);
    CHECK_FALSE(b.backups.list().back().is_sound);
    // Who names it wants it: its files are as they were written, and what is in it is verified as any log.
    const auto named = b.place.path() / "named";
    CHECK_FALSE(b.backups.restore(named, 2).is_sound);
    CHECK(b.verified(named) == 20);
    CHECK(b.backups.check(1).head.value == 10);
    CHECK(b.backups.restore(data, 1).head.value == 10);
    // The next one is of the same log, and is told by the one that can be read.
    CHECK(b.backups.take(*b.store.log, *b.subjects).id == 3);
    CHECK(b.backups.check().head.value == 20);
  }
  SUBCASE("of the names") {
    change_metadata(backups / "subjects" / "meta" / "2", [](const std::string& hex) { return "20" + hex.substr(2); });
    is_named(why_not([&] { b.backups.check(); }), "subjects/meta/2");
    is_named(why_not([&] { b.backups.restore(data); }), "subjects/meta/2");
    CHECK_FALSE(fs::exists(data));
    CHECK(b.backups.restore(data, 0, NamesOf::kWhateverIsThere).head.value == 20);
  }
  SUBCASE("of all: whose they are cannot be told") {
    for (const auto* id : {"1", "2"}) change_metadata(backups / "log" / "meta" / id, [](const std::string&) { return "FF"; });
    is_named(why_not([&] { b.backups.take(*b.store.log, *b.subjects); }), "log/meta/2");
  }
}

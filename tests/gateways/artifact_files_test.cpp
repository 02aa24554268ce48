#include "gateways/artifact_files.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace ota;

struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "ota-artifacts-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path path;
};

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  std::string text;
  for (const auto byte : bytes) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 15]);
  }
  return text;
}

actors::ArtifactDigests put(actors::ArtifactStore& store, std::string_view bytes) {
  const auto upload = store.begin_upload();
  upload->write(bytes);
  const auto digests = upload->finish();
  upload->commit();
  return digests;
}

std::string get(const actors::ArtifactStore& store, const std::array<std::uint8_t, 32>& sha256) {
  const auto artifact = store.open(sha256);
  REQUIRE(artifact);
  std::string bytes(artifact->size(), '\0');
  REQUIRE(artifact->read(0, bytes.data(), bytes.size()) == bytes.size());
  return bytes;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

void set_age(const fs::path& path, std::chrono::hours age) {
  fs::last_write_time(path, fs::file_time_type::clock::now() - age);
}

bool keep_all(const std::array<std::uint8_t, 32>&) { return true; }
bool keep_none(const std::array<std::uint8_t, 32>&) { return false; }
constexpr std::uint64_t kDay_s = 24 * 3600;

}  // namespace

TEST_CASE("an upload is hashed three ways and found under its SHA-256") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path / "deep" / "er");
  const auto upload = store->begin_upload();
  upload->write("a");
  upload->write("");
  upload->write("bc");
  const auto digests = upload->finish();
  CHECK(hex(digests.md5) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(digests.sha1) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex(digests.sha256) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digests.size == 3);
  CHECK_FALSE(store->contains(digests.sha256));
  CHECK(store->open(digests.sha256) == nullptr);

  upload->commit();
  CHECK(store->contains(digests.sha256));
  CHECK(get(*store, digests.sha256) == "abc");
  const auto files = files_in(folder.path);
  REQUIRE(files.size() == 1);
  CHECK(files[0] == folder.path / "deep" / "er" / "ba" / hex(digests.sha256));
}

TEST_CASE("an empty artifact is an artifact") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto digests = put(*store, "");
  CHECK(digests.size == 0);
  CHECK(get(*store, digests.sha256).empty());
}

TEST_CASE("an upload larger than every buffer comes back byte for byte") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  std::string bytes(40 * 1024 * 1024 + 7, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  const auto upload = store->begin_upload();
  std::string_view rest = bytes;
  for (std::size_t piece = 1; !rest.empty(); piece = piece * 3 + 1) {
    upload->write(rest.substr(0, piece));
    rest.remove_prefix(std::min(piece, rest.size()));
  }
  const auto digests = upload->finish();
  upload->commit();
  CHECK(digests.size == bytes.size());
  CHECK(get(*store, digests.sha256) == bytes);
}

TEST_CASE("an artifact is read in parts, and reading past its end gives nothing") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto artifact = store->open(put(*store, "0123456789").sha256);
  REQUIRE(artifact);
  CHECK(artifact->descriptor() >= 0);
  char part[4];
  CHECK(artifact->read(3, part, 4) == 4);
  CHECK(std::string_view(part, 4) == "3456");
  CHECK(artifact->read(8, part, 4) == 2);
  CHECK(artifact->read(10, part, 4) == 0);
  CHECK(artifact->read(1000, part, 4) == 0);
}

TEST_CASE("an upload that is not committed leaves nothing") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  {
    const auto cut_off = store->begin_upload();
    cut_off->write("half");
    const auto finished = store->begin_upload();
    finished->write("whole");
    finished->finish();
    CHECK(files_in(folder.path).size() == 2);
  }
  CHECK(files_in(folder.path).empty());
}

TEST_CASE("the same bytes twice are stored once, and stay readable throughout") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto first = put(*store, "firmware");
  const auto held = store->open(first.sha256);
  const auto second = put(*store, "firmware");
  CHECK(first.sha256 == second.sha256);
  CHECK(files_in(folder.path).size() == 1);
  char bytes[8];
  CHECK(held->read(0, bytes, 8) == 8);
  CHECK(get(*store, first.sha256) == "firmware");
}

TEST_CASE("many threads may upload the same bytes at once") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&store] {
      for (int round = 0; round < 5; ++round) put(*store, std::string(100'000, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(files_in(folder.path).size() == 1);
}

TEST_CASE("a damaged file is replaced by the next whole upload of its bytes") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto digests = put(*store, "firmware");
  fs::resize_file(files_in(folder.path).at(0), 3);
  put(*store, "firmware");
  CHECK(get(*store, digests.sha256) == "firmware");
}

TEST_CASE("a store that is opened again finds what was committed") {
  const TemporaryFolder folder;
  const auto digests = put(*gateways::open_artifact_files(folder.path), "kept");
  CHECK(get(*gateways::open_artifact_files(folder.path), digests.sha256) == "kept");
}

TEST_CASE("the sweep removes old temporaries of a former process, not those in progress") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  std::ofstream(folder.path / "incoming" / "0123.part") << "left behind";
  std::ofstream(folder.path / "incoming" / "4567.part") << "young";
  std::ofstream(folder.path / "incoming" / "notes.txt") << "not ours";
  const auto upload = store->begin_upload();
  upload->write("in progress");
  for (const auto& file : files_in(folder.path)) {
    if (file.filename() != "4567.part") set_age(file, std::chrono::hours(25));
  }
  const auto report = store->sweep(kDay_s, keep_all);
  CHECK(report.temporaries_removed == 1);
  CHECK(report.orphans_removed == 0);
  CHECK(report.bytes_freed == 11);
  CHECK_FALSE(fs::exists(folder.path / "incoming" / "0123.part"));
  CHECK(fs::exists(folder.path / "incoming" / "4567.part"));
  CHECK(fs::exists(folder.path / "incoming" / "notes.txt"));
  const auto digests = upload->finish();
  upload->commit();
  CHECK(get(*store, digests.sha256) == "in progress");
}

TEST_CASE("the sweep removes old artifacts that nothing refers to, and nothing else") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto orphan = put(*store, "orphan");
  const auto wanted = put(*store, "wanted");
  const auto young = put(*store, "young");
  std::ofstream(folder.path / "README") << "not ours";
  fs::create_directory(folder.path / "ab");
  std::ofstream(folder.path / "ab" / "notes") << "not ours";
  for (const auto& file : files_in(folder.path)) {
    if (file.filename() != hex(young.sha256)) set_age(file, std::chrono::hours(25));
  }
  const auto report = store->sweep(
      kDay_s, [&](const std::array<std::uint8_t, 32>& sha) { return sha == wanted.sha256; });
  CHECK(report.temporaries_removed == 0);
  CHECK(report.orphans_removed == 1);
  CHECK(report.bytes_freed == 6);
  CHECK_FALSE(store->contains(orphan.sha256));
  CHECK(store->contains(wanted.sha256));
  CHECK(store->contains(young.sha256));
  CHECK(fs::exists(folder.path / "README"));
  CHECK(fs::exists(folder.path / "ab" / "notes"));
}

TEST_CASE("an old orphan that is uploaded again is young again") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto digests = put(*store, "again");
  set_age(files_in(folder.path).at(0), std::chrono::hours(25));
  // The upload comes in just when the sweep has found out that nothing refers to the bytes.
  const auto report = store->sweep(kDay_s, [&](const std::array<std::uint8_t, 32>&) {
    put(*store, "again");
    return false;
  });
  CHECK(report.orphans_removed == 0);
  CHECK(store->contains(digests.sha256));
}

TEST_CASE("an artifact that is being read survives its removal") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto digests = put(*store, "readable");
  const auto held = store->open(digests.sha256);
  CHECK(store->sweep(0, keep_none).orphans_removed == 1);
  CHECK_FALSE(store->contains(digests.sha256));
  char bytes[8];
  CHECK(held->read(0, bytes, 8) == 8);
}

TEST_CASE("a write that the file system refuses names the path and the reason") {
  const TemporaryFolder folder;
  const auto store = gateways::open_artifact_files(folder.path);
  const auto upload = store->begin_upload();
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 64 * 1024;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::string message;
  try {
    upload->write(std::string(100 * 1024, 'x'));
  } catch (const actors::ArtifactError& error) {
    message = error.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  CHECK(message.starts_with("Cannot write " + (folder.path / "incoming").string()));
  CHECK(message.ends_with("File too large (errno 27)"));
}

TEST_CASE("a directory that cannot be made is an error that names it") {
  const TemporaryFolder folder;
  std::ofstream(folder.path / "file") << "in the way";
  CHECK_THROWS_WITH_AS(
      gateways::open_artifact_files(folder.path / "file" / "store"),
      doctest::Contains(("Cannot create folder " + (folder.path / "file").string()).c_str()),
      actors::ArtifactError);
}

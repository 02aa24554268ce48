// The one main of every doctest binary, and what it leaves behind: which test cases have passed.
//
// The record stands beside the program as ran/<program>, and is read by tests/rules. Its first line names the program's
// build; a record of another build is begun anew. Whoever runs some test cases only changes the lines of those.
//
// Both macros: the precompiled header has doctest's declarations already, and with them the place that would derive the
// first from the second.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

// Held by one process at a time: a test may start its own program once more.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) : file_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (file_ >= 0) ::flock(file_, LOCK_EX);
  }
  ~FolderLock() {
    if (file_ >= 0) ::close(file_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

class RanListener final : public doctest::IReporter {
 public:
  explicit RanListener(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData& test) override {
    // Hidden ones are children of a test, and no tests.
    current_ = test.m_skip ? std::string() : place_of(test.m_file.c_str()) + '\t' + test.m_name;
  }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (!current_.empty()) ran_[current_] = stats.testCaseSuccess;
  }
  void test_run_end(const doctest::TestRunStats&) override {
    if (ran_.empty()) return;
    std::error_code fault;
    const fs::path program = fs::read_symlink("/proc/self/exe", fault);
    struct stat build {};
    if (fault || ::stat("/proc/self/exe", &build) != 0) return;
    const auto folder = program.parent_path() / "ran";
    fs::create_directories(folder, fault);
    const FolderLock lock(folder);
    const auto ns = std::to_string(static_cast<std::int64_t>(build.st_mtim.tv_sec) * 1'000'000'000 + build.st_mtim.tv_nsec);
    if (!merge_into(folder / program.filename(), "program " + ns)) {
      std::fprintf(stderr, "which tests ran could not be written to %s\n", folder.c_str());
    }
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}

 private:
  // From the folder tests/ on, wherever the sources lie.
  static std::string place_of(const std::string& file) {
    const auto at = file.rfind("/tests/");
    return at == std::string::npos ? file : file.substr(at + 1);
  }

  bool merge_into(const fs::path& record, const std::string& head) const {
    std::set<std::string> passed;
    std::ifstream old(record);
    std::string line;
    if (std::getline(old, line) && line == head) {
      while (std::getline(old, line)) passed.insert(line);
    }
    for (const auto& [test, success] : ran_) {
      if (success) {
        passed.insert(test);
      } else {
        passed.erase(test);
      }
    }
    const fs::path made = record.string() + ".new";
    {
      std::ofstream out(made, std::ios::trunc);
      out << head << '\n';
      for (const auto& test : passed) out << test << '\n';
      if (!out.flush()) return false;
    }
    std::error_code fault;
    fs::rename(made, record, fault);
    return !fault;
  }

  std::string current_;
  std::map<std::string, bool> ran_;
};

DOCTEST_REGISTER_LISTENER("ran", 1, RanListener);

}  // namespace

#pragma once
// What the tests of the store share: a folder that vanishes, and records that are small.

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "cache/store.h"

namespace qbuild::cache {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "qbuild-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { make_posix_file_system()->remove_tree(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

inline void write_text(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The Error that `body` throws, or none.
template <typename Body>
std::optional<Error> error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

inline Artifact artifact_of(const std::map<std::string, std::string>& files) {
  Artifact artifact;
  for (const auto& [name, bytes] : files)
    artifact.files.push_back({.name = name, .sha256 = sha256(bytes), .size_bytes = bytes.size()});
  return artifact;
}

// A record of an action that made `files`; its key is the digest of `key_text`.
inline Record record_of(const std::string& key_text,
                        const std::map<std::string, std::string>& files) {
  Record record;
  record.key = sha256(key_text);
  record.key_text = key_text;
  record.rule = "quantize";
  record.artifact = artifact_of(files);
  record.started_unix_ns = 1'700'000'000'000'000'000;
  record.seconds = 1.5;
  record.peak_memory_bytes = 4096;
  record.machine = Json::object({{"cpu", Json("a cpu")}});
  record.tool_version = "qbuild 0.1.0";
  return record;
}

// A store in a folder of its own on the real disk.
class StoreTest : public testing::Test {
 protected:
  StoreTest() : store_(*files_, clock_, folder_.path() / "store") {}

  // Puts `bytes` into the store as an action would.
  Digest put_blob(const std::string& bytes) {
    const Scratch scratch = store_.make_scratch();
    const fs::path staged = scratch.path() / "out";
    write_text(staged, bytes);
    store_.adopt(staged, sha256(bytes), bytes.size());
    return sha256(bytes);
  }
  // Overwrites a read-only file in place, as a user with too many rights would.
  static void vandalize(const fs::path& path, std::string_view bytes) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  TemporaryFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  FakeClock clock_{1'700'000'000'000'000'000};
  Store store_;
};

}  // namespace qbuild::cache

// How deposits get into the store: each step is taken for all of them before the next one, so that
// what is flushed can be flushed together.

#include <fmt/core.h>

#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "cache/content.h"
#include "cache/store.h"
#include "cache/store_place.h"

namespace qbuild::cache {
namespace {

constexpr std::uint32_t kReadOnlyMode = 0444;

}  // namespace

class Store::Depositing {
 public:
  Depositing(Store& store, std::span<const Deposit> deposits)
      : store_(store), files_(store.file_system_), deposits_(deposits), errors_(deposits.size()) {}

  std::vector<std::optional<Error>> run() {
    for (std::size_t i = 0; i < deposits_.size(); ++i) {
      for (const StagedBlob& blob : deposits_[i].blobs)
        attempt({i, &blob}, [&] { prepare_blob(i, blob); });
      if (deposits_[i].record != nullptr) attempt({i, nullptr}, [&] { prepare_record(i); });
    }
    flush_files();
    for (const Prepared& one : prepared_) {
      if (one.what.blob != nullptr) attempt(one.what, [&] { name_blob(one); });
    }
    flush_folders();
    for (const Prepared& one : prepared_) {
      if (one.what.blob == nullptr) attempt(one.what, [&] { name_record(one); });
    }
    flush_folders();
    return std::move(errors_);
  }

 private:
  struct What {
    std::size_t deposit;
    const StagedBlob* blob;  // null: the record
  };
  struct Prepared {
    What what;
    fs::path path;  // read-only, to be flushed and renamed
  };

  // A deposit that has failed is left alone.
  template <typename Body>
  void attempt(const What& what, Body&& body) {
    if (errors_[what.deposit]) return;
    try {
      std::forward<Body>(body)();
    } catch (const Error& error) {
      fail(what, error);
    }
  }

  void fail(const What& what, Error error) {
    if (errors_[what.deposit]) return;
    if (what.blob != nullptr) {
      error.add_context(
          fmt::format("blob {} ({} bytes)", what.blob->sha256.hex(), what.blob->size_bytes));
    } else {
      const Digest& key = deposits_[what.deposit].record->key;
      error.add_context(fmt::format("record {} ({} bytes)", key.hex(), record_bytes_[key]));
    }
    if (is_of_place(error)) error.add_context(place_of(store_.root_));
    if (what.blob != nullptr && !what.blob->name.empty()) error.add_context(what.blob->name);
    errors_[what.deposit] = std::move(error);
  }

  void prepare_blob(std::size_t deposit, const StagedBlob& staged) {
    const fs::path blob = store_.blob_path(staged.sha256);
    if (store_.has_blob(staged.sha256, staged.size_bytes)) {
      // Another process may have renamed it a moment ago and not yet flushed the name.
      folders_[blob.parent_path()].push_back({deposit, &staged});
      files_.remove(staged.path);
      return;
    }
    if (files_.stat(blob)) store_.move_to_damaged(blob, "blob");
    const std::optional<FileStat> found = files_.stat(staged.path);
    if (!found)
      throw Error(ErrorKind::kNotFound, fmt::format("{} is not there", staged.path.string()));
    if (found->size_bytes != staged.size_bytes)
      throw Error(ErrorKind::kCorrupt,
                  fmt::format("{} has {} bytes", staged.path.string(), found->size_bytes));
    make_folder_of(blob, {deposit, &staged});
    const std::optional<FileStat> folder = files_.stat(blob.parent_path());
    fs::path path = staged.path;
    if (!folder || folder->device != found->device) {
      path = own_scratch() / unique_name();
      if (copy_file(files_, staged.path, path, staged.size_bytes) !=
          Content{staged.sha256, staged.size_bytes})
        throw Error(ErrorKind::kCorrupt, fmt::format("{} has other content", staged.path.string()));
      files_.remove(staged.path);
    }
    files_.set_mode(path, kReadOnlyMode);
    prepared_.push_back({{deposit, &staged}, std::move(path)});
  }

  // Prepared in a scratch folder, not beside: what a crash leaves is then swept like any other
  // scratch.
  void prepare_record(std::size_t deposit) {
    const Record& record = *deposits_[deposit].record;
    const std::string bytes = serialize(record);
    record_bytes_[record.key] = bytes.size();
    if (bytes.size() > kMaxRecordBytes) {
      // No other folder would help, so it does not go through fail().
      errors_[deposit] =
          Error(ErrorKind::kExhausted,
                fmt::format("record {}: {} bytes are more than the {} that a record may have",
                            record.key.hex(), bytes.size(), kMaxRecordBytes));
      return;
    }
    const std::optional<Record> there = store_.find_record(record.key);
    if (there && store_.is_complete(*there)) return;
    const fs::path& scratch = deposits_[deposit].scratch;
    const fs::path path =
        (scratch.empty() ? own_scratch() : scratch) / (".record-" + unique_name());
    const std::unique_ptr<WritableFile> file = files_.create(path, CreateMode::kExclusive);
    file->append(as_bytes(bytes));
    file->close();
    files_.set_mode(path, kReadOnlyMode);
    prepared_.push_back({{deposit, nullptr}, path});
  }

  void flush_files() {
    std::vector<fs::path> paths;
    std::vector<What> whats;
    for (const Prepared& one : prepared_) {
      if (errors_[one.what.deposit]) continue;
      paths.push_back(one.path);
      whats.push_back(one.what);
    }
    const std::vector<std::optional<Error>> errors = files_.flush_each(paths);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (errors[i]) fail(whats[i], *errors[i]);
    }
  }

  void name_blob(const Prepared& one) {
    const fs::path blob = store_.blob_path(one.what.blob->sha256);
    if (store_.has_blob(one.what.blob->sha256, one.what.blob->size_bytes))
      files_.remove(one.path);  // two deposits, or two processes, of one content
    else
      files_.rename(one.path, blob);
    folders_[blob.parent_path()].push_back(one.what);
  }

  void name_record(const Prepared& one) {
    const Record& record = *deposits_[one.what.deposit].record;
    for (const FileEntry& file : record.artifact.files) {
      if (record.inline_files.count(file.name) != 0 ||
          store_.has_blob(file.sha256, file.size_bytes))
        continue;
      throw Error(
          ErrorKind::kNotFound,
          fmt::format("its file \"{}\" (blob {}, {} bytes) is not in the store; build again "
                      "to make it",
                      file.name, file.sha256.hex(), file.size_bytes));
    }
    const fs::path path = store_.record_path(record.key);
    make_folder_of(path, one.what);
    files_.rename(one.path, path);
    folders_[path.parent_path()].push_back(one.what);
  }

  // One that is made here must not be lost with what will be in it.
  void make_folder_of(const fs::path& path, const What& what) {
    const fs::path folder = path.parent_path();
    if (!made_.contains(folder)) {
      if (files_.stat(folder)) return;
      files_.create_directories(folder);
      made_.insert(folder);
    }
    folders_[folder.parent_path()].push_back(what);
  }

  void flush_folders() {
    std::vector<fs::path> paths;
    paths.reserve(folders_.size());
    for (const auto& [path, whats] : folders_) paths.push_back(path);
    const std::vector<std::optional<Error>> errors = files_.flush_each(paths);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (!errors[i]) continue;
      for (const What& what : folders_[paths[i]]) fail(what, *errors[i]);
    }
    folders_.clear();
    made_.clear();
  }

  const fs::path& own_scratch() {
    if (!scratch_) scratch_.emplace(cache::make_scratch(files_, store_.root_ / "tmp"));
    return scratch_->path();
  }

  Store& store_;
  FileSystem& files_;
  const std::span<const Deposit> deposits_;
  std::vector<std::optional<Error>> errors_;
  std::vector<Prepared> prepared_;
  std::map<fs::path, std::vector<What>> folders_;  // to be flushed, and who relies on it
  std::set<fs::path> made_;                        // folders, since the last flush of folders
  std::map<Digest, std::size_t> record_bytes_;
  std::optional<Scratch> scratch_;
};

std::vector<std::optional<Error>> Store::put_each(std::span<const Deposit> deposits) {
  return Depositing(*this, deposits).run();
}

void Store::put(const Deposit& deposit) {
  const std::vector<std::optional<Error>> errors = put_each({&deposit, 1});
  if (errors.front()) throw Error(*errors.front());
}

void Store::adopt(const fs::path& staged, const Digest& sha256, std::uint64_t size_bytes) {
  put({.blobs = {{.name = "", .path = staged, .sha256 = sha256, .size_bytes = size_bytes}}});
}

void Store::put_record(const Record& record) {
  put({.blobs = {}, .record = &record});
}

}  // namespace qbuild::cache

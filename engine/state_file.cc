#include "engine/state_file.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/digest.h"
#include "base/error.h"
#include "engine/binary.h"

namespace qbuild::engine {
namespace {

// The first line; the checksum of the rest follows on the second.
std::string magic() {
  return fmt::format("qbuild-state {}\n", kStateFileVersion);
}
constexpr std::size_t kChecksumDigits = 32;

std::string serialize(const Snapshot& snapshot) {
  std::string bytes;
  append_u32(bytes, static_cast<std::uint32_t>(snapshot.exit_code));
  append_bytes(bytes, snapshot.text);
  append_u32(bytes, static_cast<std::uint32_t>(snapshot.witnesses.size()));
  for (const Witness& witness : snapshot.witnesses) {
    bytes += static_cast<char>(witness.what);
    append_bytes(bytes, witness.path.native());
    bytes += static_cast<char>(witness.stat.has_value() ? 1 : 0);
    if (witness.stat) append_stat(bytes, *witness.stat);
  }
  return bytes;
}

// Witnesses as the file has them. Their paths stay text: taking ten thousand of them apart would
// take longer than looking at the files.
struct KeptWitnesses {
  std::vector<Witness::What> what;
  std::vector<std::string> paths;
  std::vector<std::optional<FileStat>> stats;
};

KeptWitnesses take_witnesses(BinaryReader& reader, std::size_t count) {
  KeptWitnesses kept;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t what = reader.u8();
    if (what > static_cast<std::uint8_t>(Witness::What::kContent)) {
      throw Error(ErrorKind::kCorrupt, "state file: unknown kind of witness");
    }
    kept.what.push_back(static_cast<Witness::What>(what));
    kept.paths.emplace_back(reader.bytes());
    kept.stats.push_back(reader.u8() != 0 ? std::optional(reader.stat()) : std::nullopt);
  }
  return kept;
}

// Links to a file of the store come and go, and with them its change time.
std::optional<std::int64_t> young_ns(const Witness& witness, std::int64_t now) {
  if (!witness.stat) return 0;
  FileStat stat = *witness.stat;
  if (witness.what == Witness::What::kContent) stat.ctime_ns = stat.mtime_ns;
  return ns_until_settled(stat, now);
}

}  // namespace

std::string request_fingerprint(const std::vector<std::string>& parts) {
  std::string bytes;
  for (const std::string& part : parts) append_bytes(bytes, part);
  return xxh3_hex(as_bytes(bytes));
}

StateFile::StateFile(FileSystem& files, Clock& clock, fs::path path, WaitFor wait)
    : files_(files), clock_(clock), path_(std::move(path)), wait_(std::move(wait)) {
  try {
    read();
  } catch (const Error&) {
    table_bytes_.clear();
    kept_.clear();
  }
}

void StateFile::read() {
  if (!files_.stat(path_)) return;
  const std::string text = read_file(files_, path_, kMaxStateBytes);
  BinaryReader reader(text);
  if (reader.take(magic().size()) != magic()) return;
  const std::string_view checksum = reader.take(kChecksumDigits);
  const std::string_view payload = std::string_view(text).substr(magic().size() + kChecksumDigits);
  if (xxh3_hex(as_bytes(payload)) != checksum) return;
  table_bytes_ = reader.bytes();
  const std::uint32_t count = reader.u32();
  if (count > kMaxSnapshots) throw Error(ErrorKind::kCorrupt, "state file: too many snapshots");
  for (std::uint32_t i = 0; i < count; ++i) {
    Kept kept;
    kept.fingerprint = reader.bytes();
    kept.bytes = reader.bytes();
    kept_.push_back(std::move(kept));
  }
}

std::optional<Unchanged> StateFile::check_unchanged(std::string_view fingerprint) {
  const auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& candidate) {
    return candidate.fingerprint == fingerprint;
  });
  if (kept == kept_.end()) return std::nullopt;
  try {
    BinaryReader reader(kept->bytes);
    Unchanged unchanged;
    unchanged.exit_code = static_cast<int>(reader.u32());
    unchanged.text = reader.bytes();
    unchanged.witnesses = reader.u32();
    const KeptWitnesses kept_witnesses = take_witnesses(reader, unchanged.witnesses);
    const auto now = files_.stat_each(kept_witnesses.paths);
    for (std::size_t i = 0; i < now.size(); ++i)
      if (!agrees(kept_witnesses.what[i], kept_witnesses.stats[i], now[i])) return std::nullopt;
    return unchanged;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void StateFile::load_table(StatTable& table) const {
  try {
    table.add_serialized(table_bytes_);
  } catch (const Error&) {
    return;  // a table that does not parse is a table that is not there
  }
}

bool StateFile::is_settled_and_same(const Snapshot& snapshot) {
  std::int64_t wait_ns = 0;
  for (const Witness& witness : snapshot.witnesses) {
    const std::optional<std::int64_t> young = young_ns(witness, clock_.unix_ns());
    if (!witness.settled || !young) return false;
    wait_ns = std::max(wait_ns, *young);
  }
  if (wait_ns > kMaxWaitNs) return false;
  if (wait_ns > 0) wait_(wait_ns);
  const std::int64_t now = clock_.unix_ns();
  return std::all_of(
      snapshot.witnesses.begin(), snapshot.witnesses.end(), [&](const Witness& witness) {
        return young_ns(witness, now) == 0 && agrees(witness, files_.stat(witness.path));
      });
}

bool StateFile::remember(const Snapshot& snapshot) {
  forget(snapshot.fingerprint);
  try {
    if (!is_settled_and_same(snapshot)) return false;
  } catch (const Error&) {
    return false;
  }
  kept_.insert(kept_.begin(), Kept{snapshot.fingerprint, serialize(snapshot)});
  if (kept_.size() > kMaxSnapshots) kept_.resize(kMaxSnapshots);
  changed_ = true;
  return true;
}

void StateFile::forget(std::string_view fingerprint) {
  const std::size_t erased =
      std::erase_if(kept_, [&](const Kept& kept) { return kept.fingerprint == fingerprint; });
  if (erased > 0) changed_ = true;
}

std::string StateFile::save(StatTable& table) {
  const bool table_changed = table.take_changed();
  if (!changed_ && !table_changed) return "";
  table.forget_absent();
  std::string payload;
  append_bytes(payload, table.serialize());
  append_u32(payload, static_cast<std::uint32_t>(kept_.size()));
  for (const Kept& kept : kept_) {
    append_bytes(payload, kept.fingerprint);
    append_bytes(payload, kept.bytes);
  }
  try {
    publish_file(files_, path_, as_bytes(magic() + xxh3_hex(as_bytes(payload)) + payload));
  } catch (const Error& error) {
    return fmt::format("the next run will look at everything again: {}", error.message());
  }
  changed_ = false;
  return "";
}

}  // namespace qbuild::engine
